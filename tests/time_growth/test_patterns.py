"""No pattern of ours takes time that grows faster than the text that it is applied to."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from crawler.extraction.text import one_line
from crawler.extraction.written_dates import _named_months
from tests.time_growth.attacks import attacks
from tests.time_growth.measuring import Act, best_of, grows_too_fast, yardstick
from tests.time_growth.patterns import Found, our_patterns

SHORT, LONG = 500, 4_000
"""Characters of the texts: what grows with the cube shows with few, and would never end with many."""
SUSPICIOUS = 8
"""How many times longer than an ordinary pattern one takes that is then measured at several lengths."""

PREPARED: dict[str, Callable[[str], str]] = {
    # Blanks stand alone in the lines that these are applied to.
    "crawler.extraction.headline._TAIL": lambda text: one_line(text)[:1_000],
    "crawler.extraction.dateline._BEGINNING": lambda text: one_line(text)[:400],
}
"""What is done to every text before a pattern sees it, where that bounds what it costs."""
OWN = {"storage.settings._PASSWORD", "storage.settings._PARAMETER"}
"""Patterns for what the operator wrote."""


class _TooSlow(Exception):
    pass


@contextmanager
def _ends_within(seconds: float) -> Iterator[None]:
    """Raise `_TooSlow` after so much processor time, as what grows without bound would hold up everything."""

    def stop(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _maker(found: Found, method: str, attack: tuple[str, str, str]) -> Callable[[int], Act]:
    beginning, repeated, end = attack
    prepare = PREPARED.get(found.name, str)
    apply = getattr(found.pattern, method)

    def make(length: int) -> Act:
        text = prepare(beginning + repeated * (length // len(repeated)) + end)
        subject = text.encode("utf-8", "replace") if isinstance(found.pattern.pattern, bytes) else text
        if method == "finditer":
            return lambda: [None for _ in apply(subject)]
        return lambda: apply(subject)

    return make


def slow_attack(found: Found) -> str | None:
    """Return how a pattern is made slow, or None where no text is found that does it."""
    measures = {length: SUSPICIOUS * yardstick(length) for length in (SHORT, LONG)}
    for method in sorted(found.methods):
        for attack in attacks(found.pattern):
            make = _maker(found, method, attack)
            for length, suspicious in measures.items():
                try:
                    with _ends_within(200 * measures[LONG]):
                        slow = best_of(2, make(length)) > suspicious
                except _TooSlow:
                    return f"{method} of {attack} has no end"
                if slow and grows_too_fast(make, length=length):
                    return f"{method} of {attack}"
    return None


PATTERNS = [found for found in our_patterns() if found.name not in OWN]


@pytest.mark.parametrize("found", PATTERNS, ids=lambda found: found.name)
def test_no_pattern_is_made_slow_by_a_text_that_nearly_fits(found):
    assert slow_attack(found) is None, found.pattern.pattern


@pytest.mark.parametrize("language", ["en", "de", "fr", "fa", "ru"])
def test_no_pattern_of_written_dates_is_made_slow(language):
    pattern, _ = _named_months(language)
    found = Found(name=f"months in {language}", pattern=pattern, methods=frozenset({"finditer"}))
    assert slow_attack(found) is None


def test_our_patterns_are_found():
    assert len(PATTERNS) > 150
    named = {found.name: found for found in PATTERNS}
    assert named["storage.fingerprint._SPACE"].methods == {"finditer"}


@pytest.mark.parametrize(
    ("pattern", "methods"),
    [
        (r"\s+x", {"finditer"}),
        (r"([a-z][a-z0-9-]*)\s*=", {"search"}),
        (rb"<[a-z]*[^<>]*>", {"search"}),
        (r"(a+)+b", {"match"}),
        (r"<!--.*?-->", {"finditer"}),
        (r"^(?:\w+\s?)*$", {"fullmatch"}),
        (r"a.*b.*c", {"match"}),
        (r"^\s*<!ENTITY([^>]*?)>", {"finditer"}),
    ],
)
def test_slow_patterns_are_told(pattern, methods):
    found = Found(name="slow", pattern=re.compile(pattern, re.MULTILINE | re.DOTALL), methods=frozenset(methods))
    assert slow_attack(found) is not None


@pytest.mark.parametrize("pattern", [r"(?<!\s)\s++x", r"[a-z]{1,30}=", r"<[a-z]*+[^<>]*+>", r"^\s*+x", r"\d\d?:\d\d"])
def test_quick_patterns_are_not(pattern):
    found = Found(name="quick", pattern=re.compile(pattern), methods=frozenset({"search", "finditer"}))
    assert slow_attack(found) is None
