"""Texts that nearly match a pattern, made from the pattern itself: what a hostile page would be made of."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, product
from re import _constants as sre  # type: ignore[attr-defined]  # the only parser of patterns there is
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_MISMATCHES = ("\0", "!", "\u00e9")
_MOST_PIECES = 9
_ALPHABET = "a0 -_<>/\"'&;:=.,#%\n\t()[]{}|!?*+$@éÀ\u0301\u200bZ"
_LONG = 40
"""A repeat that goes on for longer than this may be one without end."""


def attacks(pattern: re.Pattern[Any]) -> list[tuple[str, str, str]]:
    """Return (beginning, what is repeated, end) of texts that may be slow to be matched, each once."""
    source = pattern.pattern
    tree = _parser.parse(source, pattern.flags & ~re.DEBUG)
    pieces = _pieces(tree)
    found: dict[tuple[str, str, str], None] = {}
    for before, repeated in _repeats(tree, [""]):
        for mismatch in _MISMATCHES[:2]:
            for start in before:
                found[start, repeated, mismatch] = None
                found["", start + repeated, mismatch] = None
    for piece in pieces:
        for mismatch in _MISMATCHES:
            found["", piece, mismatch] = None
    for one, other in product(pieces, repeat=2):
        if one != other:
            found["", one + other, "\0"] = None
            found[one, other, "\0"] = None
    return [attack for attack in found if attack[1]]


def _pieces(tree: Any) -> list[str]:
    """Return the pieces that a pattern is made of: what each of its characters, classes and literal runs fits."""
    found: dict[str, None] = {}
    for text in _parts(tree):
        if text:
            found[text] = None
    runs = sorted(found, key=lambda text: (-len(text), text))
    # Short ones and long ones both: classes hide in the short, beginnings of markup in the long.
    return list(dict.fromkeys([*runs[: _MOST_PIECES // 2], *runs[::-1][: _MOST_PIECES - _MOST_PIECES // 2]]))


def _parts(tree: Any) -> Iterator[str]:
    literal = ""
    for operation, argument in tree:
        if operation is sre.LITERAL:
            literal += chr(argument)
            continue
        if literal:
            yield literal
            literal = ""
        if operation in (sre.IN, sre.NOT_LITERAL, sre.ANY):
            yield from _samples(operation, argument)
        for inner in _inside(operation, argument):
            yield from _parts(inner)
    if literal:
        yield literal


def _inside(operation: Any, argument: Any) -> Sequence[Any]:
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return (argument[2],)
    if operation is sre.SUBPATTERN:
        return (argument[3],)
    if operation is sre.ATOMIC_GROUP:
        return (argument,)
    if operation is sre.BRANCH:
        return tuple(argument[1])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return (argument[1],)
    if operation is sre.GROUPREF_EXISTS:
        return tuple(part for part in argument[1:] if part is not None)
    return ()


def _samples(operation: Any, argument: Any) -> list[str]:
    """Return characters of different kinds that a class fits."""
    if operation is sre.LITERAL:
        return [chr(argument)]
    if operation is sre.NOT_LITERAL:
        return [next(sign for sign in _ALPHABET if sign != chr(argument))]
    if operation is sre.ANY:
        return ["a", " "]
    fits = [sign for sign in _ALPHABET if _in_class(argument, sign)]
    if not fits:
        fits = [chr(value if kind is sre.LITERAL else value[0]) for kind, value in argument
                if kind in (sre.LITERAL, sre.RANGE)][:1]  # fmt: skip
    return fits[:2] + fits[-1:]


def _in_class(members: Any, sign: str) -> bool:
    negated = any(kind is sre.NEGATE for kind, _ in members)
    found = False
    for kind, value in members:
        if kind is sre.LITERAL:
            found |= ord(sign) == value
        elif kind is sre.RANGE:
            found |= value[0] <= ord(sign) <= value[1]
        elif kind is sre.CATEGORY:
            found |= re.match(_CATEGORIES[value], sign) is not None
    return found != negated


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S", sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _repeats(tree: Any, before: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yield for each long repeat what may stand before it, and each text that it repeats."""
    so_far = before
    for operation, argument in tree:
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, body = argument
            if most > _LONG:
                for text in islice(_texts(body), 6):
                    yield so_far[:3], text
            yield from _repeats(body, so_far)
            # It may have been long already where the next one begins.
            tails = [*(text * max(least, 1) for text in islice(_texts(body), 2)), *([""] if least == 0 else [])]
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _repeats(argument[1], so_far)
            continue
        else:
            for inner in _inside(operation, argument):
                yield from _repeats(inner, so_far)
            tails = list(islice(_texts([(operation, argument)]), 3))
        so_far = list(islice((start + tail for start in so_far for tail in tails), 4)) or so_far


def _texts(tree: Any) -> Iterator[str]:
    """Yield texts that a part of a pattern fits."""
    choices: list[list[str]] = []
    for operation, argument in tree:
        if operation in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            choices.append(_samples(operation, argument))
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, _, body = argument
            choices.append([text * max(least, 1) for text in islice(_texts(body), 3)] or [""])
        elif operation is sre.BRANCH:
            choices.append([text for branch in argument[1] for text in islice(_texts(branch), 1)][:5])
        elif operation in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
            (inner,) = _inside(operation, argument)
            choices.append(list(islice(_texts(inner), 3)) or [""])
    yield from ("".join(parts) for parts in islice(product(*choices), 6))
