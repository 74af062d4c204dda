"""How a failure that nobody foresaw is told in the log: where it happened and what it was, and nothing that it was
about. Local variables never, for they hold passwords and whole articles; messages cut (`storage.hidden`)."""

import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

from storage.escaping import printable
from storage.hidden import failure_message

FRAMES_TOLD = (10, 30)
"""Of a long traceback the outermost and the innermost are told: a recursion has a thousand of the same."""
CAUSES_TOLD = 8
OF_A_GROUP_TOLD = 5

Event = MutableMapping[str, Any]


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception that a log call was given, in any of the ways that logging takes."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) == 3 and isinstance(exc_info[1], BaseException) else None
    return sys.exception() if exc_info else None


def place_of(problem: BaseException) -> str:
    """Return what an exception is and which line raised it: the same for all that come of one fault."""
    frames = traceback.extract_tb(problem.__traceback__, limit=-1)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(problem).__qualname__} at {where}"


def failure_rows(problem: BaseException) -> list[dict[str, Any]]:
    """Return an exception and its causes as rows of JSON, the exception itself first."""
    return [
        {
            "exc_type": type(one).__qualname__,
            "exc_value": failure_message(one),
            "is_cause": is_cause,
            "frames": [
                {"filename": frame.filename, "lineno": frame.lineno, "name": frame.name}
                for frame in _frames(one.__traceback__)
            ],
            **_group(one),
        }
        for one, is_cause in _with_causes(problem)
    ]


def failure_text(problem: BaseException) -> str:
    """Return an exception and its causes as Python shows them, the exception itself last, for people."""
    blocks = []
    for one, is_cause in reversed(_with_causes(problem)):
        frames = "".join(traceback.format_list(_frames(one.__traceback__)))
        said = f"Traceback (most recent call last):\n{frames}" if frames else ""
        inside = "".join(f"\n  {row['exc_type']}: {row['exc_value']}" for row in _group(one).get("exceptions", []))
        follows = "\n\nwhich led to:\n\n" if is_cause else ""
        blocks.append(f"{said}{type(one).__qualname__}: {failure_message(one)}{inside}{follows}")
    return printable("".join(blocks))


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    frames = list(traceback.extract_tb(trace))
    outermost, innermost = FRAMES_TOLD
    return frames if len(frames) <= outermost + innermost else [*frames[:outermost], *frames[-innermost:]]


def _with_causes(problem: BaseException) -> list[tuple[BaseException, bool]]:
    """Give the exception and what it came of, each with whether it is such a cause; a chain may be a ring."""
    found: list[tuple[BaseException, bool]] = []
    one: BaseException | None = problem
    seen: set[int] = set()
    while one is not None and id(one) not in seen and len(found) < CAUSES_TOLD:
        found.append((one, bool(found)))
        seen.add(id(one))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def _group(problem: BaseException) -> dict[str, Any]:
    if not isinstance(problem, BaseExceptionGroup):
        return {}
    return {
        "exceptions": [
            {"exc_type": type(one).__qualname__, "exc_value": failure_message(one), "place": place_of(one)}
            for one in problem.exceptions[:OF_A_GROUP_TOLD]
        ]
    }
