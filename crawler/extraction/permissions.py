"""What an answer permits those who read it: robots directives and rights reserved from machines. Pure.

Read from response headers and `meta` elements: `X-Robots-Tag` and `robots` (Google's and Bing's documentation of
robots directives), `tdm-reservation` and `tdm-policy` (TDM Reservation Protocol, W3C Community Group report of 2024),
`Content-Usage` (IETF AI preferences, drafts) and `Content-Signal`.

Directives add up. Where the rules for all robots, those for ours, headers and markup differ, the strictest holds:
neither RFC 9309 nor the documentation of the directives says that a rule for one robot lifts one for all, Google
documents that the sum of the restrictive rules applies, and whoever errs on this side takes nothing that was refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crawler.extraction.text import one_line
from storage.model import Headers

_RESERVING = frozenset({"noarchive", "nocache", "nosnippet", "noai", "noimageai", "noml"})
"""Directives that speak of what may be done with a page's content, not of how search engines list it."""
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_NAMED = re.compile(r"\s*+([^\s:,;=]++)\s*+:\s*+")
_WEEKDAY = re.compile(r"(unavailable_after\s*:\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\s*,", re.IGNORECASE)
"""The only directive whose value may hold a comma: `unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT`."""
_USAGE_HEADERS = frozenset({"content-usage", "content-signal"})
_USAGE = re.compile(
    # Begun only where a word begins, so that a long word is not read again from each of its letters.
    r"(?<![a-z0-9_.*-])([a-z][a-z0-9_.*-]*+)\s*+=\s*+(?:\"?(?:no?|false)\"?|\?0|0)\s*+(?=[,;]|$)",
    re.IGNORECASE,
)
_LONGEST_VALUE = 8192
"""Characters of one header or element that are read."""
_MOST_OPT_OUTS = 20
_LONGEST_OPT_OUT = 300


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """What an answer forbids or reserves.

    `noarchive`: search engines are to show no copy of the page. `nofollow`: its links may not be followed. `opt_outs`
    are the words in which the publisher reserves the use of the text, to be recorded: `noarchive`, `nosnippet`, `noai`,
    `noimageai`, `unavailable_after=DATE`, `tdm-reservation`, `tdm-policy=URL`, `ai-train=no` and the like,
    without repeats.
    """

    noarchive: bool = False
    nofollow: bool = False
    opt_outs: tuple[str, ...] = ()


NOTHING_FORBIDDEN = Permissions()


def permissions_of(headers: Headers, meta: Mapping[str, Sequence[str]], *, robots_token: str) -> Permissions:
    """Return what an answer with these headers, and these `meta` contents by lower-case name, permits a robot.

    `robots_token` is the name by which the robot obeys robots.txt, compared without case; directives for other robots
    are not ours. For an answer that is no HTML, `meta` is empty.
    """
    token = robots_token.strip().lower()
    fields = [(name.strip().lower(), one_line(value[:_LONGEST_VALUE])) for name, value in headers]
    meta = {name: [value[:_LONGEST_VALUE] for value in values] for name, values in meta.items()}
    ours = {"", "*", token}
    spoken = [value for name, value in fields if name == "x-robots-tag"]
    # A header may stand in the markup (`http-equiv`), as people who cannot set headers write it.
    for name in dict.fromkeys(("robots", "x-robots-tag", token)):
        spoken += meta.get(name, ()) if name else ()
    directives = {word for value in spoken for robot, word in _directives(value) if robot in ours}
    opt_outs = [word for word in sorted(directives) if word in _RESERVING or word.startswith("unavailable_after=")]
    opt_outs += _tdm(fields, meta)
    opt_outs += _usages(value for name, value in fields if name in _USAGE_HEADERS)
    opt_outs += _usages(value for name in sorted(_USAGE_HEADERS) for value in meta.get(name, ()))
    return Permissions(
        noarchive="noarchive" in directives,
        nofollow=bool(directives & {"nofollow", "none"}),
        opt_outs=tuple(dict.fromkeys(word[:_LONGEST_OPT_OUT] for word in opt_outs))[:_MOST_OPT_OUTS],
    )


def _directives(value: str) -> Iterator[tuple[str, str]]:
    """Yield (robot, directive) for the directives of one header or element, in lower case; "" stands for all robots.

    A robot's name holds until the next one: intermediaries join repeated headers with commas.
    """
    robot = ""
    for part in _WEEKDAY.sub(r"\1", value).split(","):
        said, at = part.strip(), 0
        while (named := _NAMED.match(said, at)) and named[1].lower() not in _WITH_VALUE:
            robot, at = named[1].lower(), named.end()
        if named:
            yield robot, f"{named[1].lower()}={said[named.end() :].strip()}"
        else:
            for word in re.split(r"[\s;]+", said[at:].lower()):
                if word:
                    yield robot, word


def _tdm(fields: Sequence[tuple[str, str]], meta: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the reservation of text and data mining with its policy; a policy without reservation says nothing."""

    def values(wanted: str) -> list[str]:
        return [*(value for name, value in fields if name == wanted), *meta.get(wanted, ())]

    if "1" not in (value.strip() for value in values("tdm-reservation")):
        return []
    return ["tdm-reservation", *(f"tdm-policy={address.strip()}" for address in values("tdm-policy"))]


def _usages(values: Iterable[str]) -> list[str]:
    """Return the uses that are refused: `train-ai=n` and `ai-train=no` alike as `…=no`."""
    return [f"{use.lower()}=no" for value in values for use in _USAGE.findall(value)]
