"""Spiders: requests out, responses in."""
