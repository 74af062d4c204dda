"""Copies of robots.txt, one an origin, shared by all processes."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from storage.outcomes import Outcome
from storage.statements import insert_for
from storage.tables import robots_files

_OF_ORIGIN = select(robots_files).where(robots_files.c.origin == bindparam("asked"))


class RobotsState(StrEnum):
    """What an origin's robots.txt said when it was asked for last."""

    RULES = "rules"
    ALLOWED = "allowed"
    """There is none, so that everything is allowed."""
    UNREACHABLE = "unreachable"
    """It could not be had; the rules of an earlier copy hold, and without one nothing is allowed."""


@dataclass(frozen=True, kw_only=True)
class RobotsFile:
    """A copy of an origin's robots.txt.

    `origin` is `https://example.org`, `host` its politeness key. `rules` is the text; beside `UNREACHABLE` that of the
    last good copy, empty if that allowed everything, or None. `outcome` and `reason` say why the host could not be
    reached, where that was the cause. After `expires_at` it is to be asked for again.
    """

    origin: str
    host: str
    state: RobotsState
    rules: str | None = None
    fetched_at: datetime
    expires_at: datetime
    outcome: Outcome | None = None
    reason: str | None = None


class RobotsFiles:
    """The copies in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, origin: str) -> RobotsFile | None:
        """Return the copy of an origin, fresh or not."""
        row = self._connection.execute(_OF_ORIGIN, {"asked": origin}).mappings().first()
        if row is None:
            return None
        outcome = None if row["outcome"] is None else Outcome(row["outcome"])
        return RobotsFile(**{**row, "state": RobotsState(row["state"]), "outcome": outcome})

    def keep(self, copy: RobotsFile) -> None:
        """Keep a copy in place of an earlier one."""
        self._connection.execute(_keep(self._connection.dialect.name), asdict(copy))


@cache
def _keep(dialect: str) -> Any:
    insert = insert_for(dialect, robots_files)
    changed = {column.name: insert.excluded[column.name] for column in robots_files.c if column.name != "origin"}
    return insert.on_conflict_do_update(index_elements=["origin"], set_=changed)
