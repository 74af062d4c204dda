"""A server that misbehaves in every way we know of, and what the crawler makes of each.

One table (`cases`) drives the tests and the report: `python -m tests.hostile [--markdown]`.
"""
