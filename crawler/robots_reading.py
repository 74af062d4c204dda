"""Reading the body of a robots.txt, to be done in a worker process: whoever writes one decides how long that takes."""

from dataclasses import dataclass

from crawler.robots_rules import RobotsRules, condensed, decode_robots, read_rules
from storage.content_coding import BadContentCoding, decode_body

DECODED_BYTES = 8 * 1024 * 1024
"""A robots.txt that is longer after decoding is not read at all; what is read of it is far less."""


@dataclass(frozen=True, kw_only=True)
class RobotsBody:
    """What a body is that answers for a robots.txt: its text and its rules for us, or None for one that is not what
    its Content-Encoding says."""

    text: str
    rules: RobotsRules


def read_robots(body: bytes, content_encoding: str | None, *, token: str, origin: str) -> RobotsBody | None:
    """Read the body of a robots.txt as it was sent; to be done in a worker process."""
    try:
        content = decode_body(body, content_encoding, max_bytes=DECODED_BYTES)
    except BadContentCoding:
        return None
    text = condensed(decode_robots(content))
    return RobotsBody(text=text, rules=read_rules(text, token=token, origin=origin))
