"""Finds code whose time grows faster than its input: patterns and parsers, tried with texts made to hurt them."""
