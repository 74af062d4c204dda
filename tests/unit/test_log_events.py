"""The manual lists every event that may be in the log, with its level and what it carries."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.unit.test_reference_pages import MANUAL, code, table

ROOT = Path(__file__).parents[2]
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
UNIMPORTANT = {"exc_info"}


class Logged(NamedTuple):
    """One call that logs. `say` is a name for one of two levels; fields given as `**` are not known."""

    event: str
    levels: frozenset[str]
    fields: frozenset[str]
    place: str


def calls(tree: ast.AST, place: str) -> Iterator[Logged]:
    """Give every call that logs."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, event = node.func, node.args[0]
        if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "log":
            levels = {LEVELS[name.attr]}
        elif isinstance(name, ast.Name) and name.id == "say":
            levels = {"debug", "info"}
        else:
            continue
        assert isinstance(event, ast.Constant), f"{place}:{node.lineno}: an event's name must stand where it is logged"
        fields = {keyword.arg for keyword in node.keywords if keyword.arg is not None} - UNIMPORTANT
        yield Logged(event.value, frozenset(levels), frozenset(fields), f"{place}:{node.lineno}")


@cache
def logged() -> list[Logged]:
    """Return everything that our code logs."""
    return [
        call
        for package in ("storage", "crawler", "scheduler")
        for path in sorted((ROOT / package).rglob("*.py"))
        for call in calls(ast.parse(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT)))
    ]


def test_the_manual_lists_every_event_with_its_level_and_fields():
    found: dict[str, tuple[set[str], set[str]]] = {}
    for call in logged():
        levels, fields = found.setdefault(call.event, (set(), set()))
        levels |= call.levels
        fields |= call.fields
    rows = {code(row[0]): row[1:] for row in table(MANUAL["log-events"])}
    assert sorted(rows) == list(rows), "sort the events"
    assert set(rows) == set(found)
    for event, (levels, fields) in found.items():
        level, when, carries = rows[event]
        assert set(level.split(", ")) == levels, event
        assert when.endswith("."), event
        assert set(re.findall(r"`(\w+)`", carries)) == fields, event


def test_events_are_named_alike():
    for call in logged():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", call.event), call.place
