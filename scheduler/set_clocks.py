"""Notices that the clock was set back, also while nothing ran, and rights what one that was ahead wrote of pages."""

from contextlib import suppress
from datetime import datetime, timedelta

from scheduler.page_learning import CLOCK_LEEWAY
from scheduler.policy import NOT_ARTICLE_AGAIN
from storage.errors import DatabaseBusy
from storage.store import Store

SET_BACK = timedelta(minutes=1)
"""A clock that is so much behind what it showed before was set."""
KEPT_EVERY = timedelta(hours=1)
"""So often it is kept until when pages were planned; a clock that leaps is seen at once."""
PLANNED_AT = "planned_at"
"""The name in `service_state` of the latest instant at which pages were planned, as ISO 8601."""


class SetClocks:
    """Looks, before pages are planned, whether the clock is behind what it showed when they were planned last.

    `watch_for` is how long articles are watched: no page waits longer than that, and a week.
    """

    def __init__(self, store: Store, watch_for: timedelta) -> None:
        self._store = store
        self._longest = watch_for + NOT_ARTICLE_AGAIN
        self._latest: datetime | None = None
        self._kept: datetime | None = None

    def right(self, now: datetime) -> bool:
        """Right what lies ahead of `now` though it cannot, and return whether all plans are to be made anew.

        They are where the clock was set back far: what was planned by it may have been released before its time.
        """
        begins = self._latest is None
        if begins:
            self._kept = self._read()
        latest = self._kept if begins else self._latest
        if begins or (latest is not None and now < latest - SET_BACK):
            self._forget(now)
        self._right_requests(now)
        if self._kept is None or now >= self._kept + KEPT_EVERY:
            self._keep(now)
        self._latest = now
        return latest is not None and now < latest - CLOCK_LEEWAY

    def settle(self, now: datetime) -> None:
        """Take `now` for the latest instant: all that was planned later has another plan."""
        if self._kept is not None and self._kept > now:
            self._keep(now)

    def _read(self) -> datetime | None:
        with self._store.reading() as transaction:
            state = transaction.service_state.get(PLANNED_AT)
        try:
            kept = datetime.fromisoformat(str(state[0])) if state is not None else None
        except ValueError:
            return None
        return kept if kept is not None and kept.tzinfo is not None else None

    def _keep(self, now: datetime) -> None:
        # Where others keep us from writing, the next run does it.
        with suppress(DatabaseBusy), self._store.writing() as transaction:
            transaction.service_state.put(PLANNED_AT, now.isoformat(), now)
            self._kept = now

    def _forget(self, now: datetime) -> None:
        with self._store.reading() as transaction:
            source_ids = transaction.wrong_clocks.sources(now, longest=self._longest)
        for source_id in source_ids:
            with self._store.writing() as transaction:
                transaction.wrong_clocks.forget(source_id, now, longest=self._longest)

    def _right_requests(self, now: datetime) -> None:
        with self._store.reading() as transaction:
            ahead = transaction.wrong_clocks.requested(now)
        if ahead:
            with self._store.writing() as transaction:
                transaction.wrong_clocks.ask_now(ahead, now)
