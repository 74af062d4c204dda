"""When pages are due next, and what that is planned from."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)

from storage.model import BY_RULE, NextReason
from storage.outcomes import Outcome
from storage.plan_records import Learnt, PageHistory, PagePlan
from storage.records import CandidateKind
from storage.tables import articles, pages, sources

_AS_IN_PAGE = (
    "source_id",
    "host",
    "first_seen_at",
    "last_fetch_at",
    "consecutive_failures",
    "looks",
    "changes",
    "last_changed_at",
    "last_look_at",
    "rate_alpha",
    "rate_beta",
    "interval_seconds",
    "learnt_until",
    "learnt_changes",
    "hinted_at",
    "watched_from",
    "next_fetch_at",
    "watch_ended",
    "paused",
    "alias_of",
    "released_by",
)
_HISTORIES = select(
    pages.c.id,
    *(pages.c[name] for name in _AS_IN_PAGE),
    pages.c.last_outcome,
    pages.c.next_fetch_reason,
    pages.c.feed_published_at,
    pages.c.candidate.is_not(None).label("waits"),
    pages.c.candidate_kind,
    pages.c.candidate_looks,
    articles.c.published_at,
    articles.c.id.label("article_id"),
).outerjoin(articles, articles.c.primary_page_id == pages.c.id)
_UNPLANNED = and_(
    pages.c.next_fetch_at.is_(None),
    pages.c.alias_of.is_(None),
    # As the index has them; SQLAlchemy would write `watch_ended = 0`, and SQLite then go through all pages.
    literal_column("NOT pages.watch_ended"),
    literal_column("NOT pages.paused"),
)
_NOT_PAUSED = pages.c.source_id.not_in(select(sources.c.id).where(sources.c.paused))
_REACHED_BY_RULES = [reason.value for reason in sorted(BY_RULE | {NextReason.STILL_CHANGES, NextReason.FINISHED})]
_BY_PLAN = pages.c.next_fetch_reason == literal_column(f"'{NextReason.PLAN}'")
"""Spelt out, or SQLite would not know that its index holds these pages."""
_FINISHED = pages.c.next_fetch_reason == literal_column(f"'{NextReason.FINISHED}'")
_LEARNT = ("learnt_until", "learnt_changes", "rate_alpha", "rate_beta", "interval_seconds", "hinted_at")


def _bound(name: str) -> Any:
    """Return a parameter for a column of that name; an update's parameters must not be called as columns are."""
    return bindparam(f"new_{name}", type_=pages.c[name].type)


_PLAN: dict[Any, Any] = {name: _bound(name) for name in ("next_fetch_at", "next_fetch_reason", "watch_ended")}
_UPDATE = update(pages).where(pages.c.id == bindparam("page"))
_SET_PLAN = _UPDATE.values(_PLAN)
_SET_PLAN_AND_LEARNT = _UPDATE.values(_PLAN | {name: _bound(name) for name in _LEARNT})


class PagePlans:
    """Gives the planner what it plans from, and keeps its plans."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unplanned(self, limit: int, *, after: int = 0) -> list[PageHistory]:
        """Return pages that nobody has planned since they were fetched, and whose watch goes on; neither they nor their
        sources are paused. `after` is the last page of what an earlier call gave."""
        return self._histories(
            _HISTORIES.where(_UNPLANNED, _NOT_PAUSED, pages.c.id > after).order_by(pages.c.id).limit(limit)
        )

    def histories(self, page_ids: Collection[int], *, lock: bool = False) -> dict[int, PageHistory]:
        """Return the histories of these pages by their ids; with `lock` nobody else changes them meanwhile."""
        query = _HISTORIES.where(pages.c.id.in_(sorted(page_ids)))
        if lock:
            # In one order, so that two who lock the same pages wait for each other and not crosswise.
            query = query.order_by(pages.c.id).with_for_update(of=pages)
        return {history.page_id: history for history in self._histories(query)}

    def of_price(self, host: str, limit: int, *, now: datetime, after: int = 0) -> list[PageHistory]:
        """Return pages of a host that will be due when the plan said, which the price of a fetch there decides; what is
        due by `now` may be under way already."""
        wanted = and_(
            pages.c.host == host,
            pages.c.id > after,
            pages.c.next_fetch_at > now,
            pages.c.alias_of.is_(None),
            ~pages.c.paused,
        )
        query = _HISTORIES.where(_BY_PLAN, wanted)
        return self._histories(query.order_by(pages.c.id).limit(limit))

    def finished(self, host: str, limit: int, *, after: int = 0) -> list[PageHistory]:
        """Return pages of a host that are not watched any more because no further look was worth its price.

        A page whose watch is over since is among them until a plan says so (`NextReason.RELEASED`): so each is asked
        once more at most, and what a host has finished in years makes no query longer.
        """
        wanted = and_(
            pages.c.host == host,
            pages.c.id > after,
            pages.c.watch_ended,
            pages.c.alias_of.is_(None),
            pages.c.released_by.is_(None),
            ~pages.c.paused,
        )
        return self._histories(_HISTORIES.where(_FINISHED, wanted).order_by(pages.c.id).limit(limit))

    def of_rules(
        self, source_ids: Collection[int], limit: int, *, born_since: datetime, after: int = 0
    ) -> list[PageHistory]:
        """Return pages of these sources that are due when a rule said, or are not watched any more by its word.

        Of those that were released, only such as were found, or watched anew, since `born_since`: all others would be
        released again.
        """
        released = and_(
            pages.c.next_fetch_reason == NextReason.RELEASED.value,
            func.coalesce(pages.c.watched_from, pages.c.first_seen_at) >= born_since,
        )
        query = _HISTORIES.where(
            # Written so that SQLite goes through the pages by their ids, and does not sort all of a source each time.
            (pages.c.source_id + 0).in_(sorted(source_ids)),
            pages.c.id > after,
            or_(pages.c.next_fetch_reason.in_(_REACHED_BY_RULES), released),
            pages.c.alias_of.is_(None),
            pages.c.released_by.is_(None),
            ~pages.c.paused,
        )
        return self._histories(query.order_by(pages.c.id).limit(limit))

    def put(self, plans: Sequence[PagePlan]) -> None:
        """Say when pages are due next; one that is not watched any more is planned again when it is fetched, hinted at
        or watched anew."""
        ordered = sorted(plans, key=lambda plan: plan.page_id)
        plain = [_plan_values(plan) for plan in ordered if plan.learnt is None]
        if plain:
            self._connection.execute(_SET_PLAN, plain)
        learnt = [_plan_values(plan) | _learnt_values(plan.learnt) for plan in ordered if plan.learnt is not None]
        if learnt:
            self._connection.execute(_SET_PLAN_AND_LEARNT, learnt)

    def _histories(self, query: Select[Any]) -> list[PageHistory]:
        return [_history(row) for row in self._connection.execute(query).mappings()]


def _plan_values(plan: PagePlan) -> dict[str, Any]:
    values = {"next_fetch_at": plan.at, "next_fetch_reason": plan.reason.value, "watch_ended": plan.at is None}
    return {"page": plan.page_id} | {f"new_{name}": value for name, value in values.items()}


def _learnt_values(learnt: Learnt) -> dict[str, Any]:
    return {
        "new_learnt_until": learnt.until,
        "new_learnt_changes": learnt.changes,
        "new_rate_alpha": learnt.rate_alpha,
        "new_rate_beta": learnt.rate_beta,
        "new_interval_seconds": learnt.interval_seconds,
        "new_hinted_at": learnt.hinted_at,
    }


def _history(row: RowMapping) -> PageHistory:
    outcome, reason = row["last_outcome"], row["next_fetch_reason"]
    waits = CandidateKind(row["candidate_kind"] or CandidateKind.SECOND_LOOK) if row["waits"] else None
    return PageHistory(
        page_id=row["id"],
        published_at=row["published_at"] or row["feed_published_at"],
        last_outcome=None if outcome is None else Outcome(outcome),
        next_fetch_reason=None if reason is None else NextReason(reason),
        has_candidate=waits is CandidateKind.SECOND_LOOK,
        suspect_looks=row["candidate_looks"] if waits is CandidateKind.SUSPECT else 0,
        has_article=row["article_id"] is not None,
        **{name: row[name] for name in _AS_IN_PAGE},
    )
