"""A program behind a server, as CGI has them."""

PAGE_PROGRAM = """#!/bin/sh
page=${1:-$PATH_TRANSLATED}
printf 'Content-Type: text/html; charset=utf-8\\r\\n\\r\\n'
head -c 1000 "$page"
sleep 0.03
exec tail -c +1001 "$page"
"""
"""Sends the page whose file it is called with. It pauses, because a server knows the length of what has ended."""
