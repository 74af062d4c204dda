"""A case of the table: what a server does, and what must come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storage.outcomes import Outcome
from tests.integration.bad_answers import FEED_TYPE, PARAGRAPHS
from tests.integration.bad_server import Script, answer

PAGE_PATH = "/page"
FEED_PATH = "/feed"


class Kept(StrEnum):
    """What stays of an answer, the least first."""

    NOTHING = "the row"
    HEADERS = "the row with status and headers"
    CAPTURE = "the capture"
    ARTICLE = "capture and article"
    LINKS = "the links"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a server does (`answers` by path), and the row that fetching `target` must leave.

    `before` is what the server answered at a first look, after which there is an article. `listed_as` is the setting of
    a source (`feeds`, `sitemaps`) in which the target stands, empty where a page is named. `guarded` cases run with
    internal addresses refused and with names of our own (`tests.hostile.names`), `hurried` ones with a reader of pages
    that has no time, `respecting` ones with `respect_noarchive`. `later` says whether a good answer is read at once
    when it comes; after what speaks for the whole host, such as 429, it is not even asked for. `opt_outs` are what the
    row must say that the answer reserves, and `paragraphs` what the article must say where one is kept. In a target and
    in answers `_PORT`, as long as a port,
    stands for the server's.
    """

    name: str
    does: str
    outcome: Outcome
    reason: str | None
    kept: Kept
    answers: Mapping[str, Script] = field(default_factory=dict)
    before: Mapping[str, Script] = field(default_factory=dict)
    target: str = PAGE_PATH
    listed_as: str = ""
    guarded: bool = False
    hurried: bool = False
    respecting: bool = False
    later: bool = True
    versions: int = 1
    opt_outs: Sequence[str] = ()
    paragraphs: Sequence[str] = PARAGRAPHS


def page_case(
    name: str,
    does: str,
    script: Script,
    outcome: Outcome,
    reason: str | None,
    kept: Kept = Kept.HEADERS,
    *,
    answers: Mapping[str, Script] | None = None,
    **more: Any,
) -> Case:
    """Return the case of a page that is answered by a script; `answers` are those of other paths."""
    all_answers = {PAGE_PATH: script, **(answers or {})}
    return Case(name=name, does=does, outcome=outcome, reason=reason, kept=kept, answers=all_answers, **more)


def feed_case(
    name: str,
    does: str,
    script: Script,
    outcome: Outcome,
    reason: str | None,
    kept: Kept = Kept.HEADERS,
    *,
    answers: Mapping[str, Script] | None = None,
) -> Case:
    """Return the case of a feed that is answered by a script; `answers` are those of other paths."""
    return Case(
        name=name,
        does=does,
        outcome=outcome,
        reason=reason,
        kept=kept,
        answers={FEED_PATH: script, **(answers or {})},
        target=FEED_PATH,
        listed_as="feeds",
        later=outcome is not Outcome.LISTED,
    )


def feed_answer(text: str, *headers: str) -> bytes:
    """Return an answer with a feed."""
    return answer(text.encode(), *headers, content_type=FEED_TYPE)
