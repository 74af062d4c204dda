"""Feeds: what is due to be polled, and what a poll brought."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, exists, func, or_, select, update

from storage.feed_polls import polled_values
from storage.hints import Hints
from storage.model import FeedKind, PollReason
from storage.outcomes import Outcome
from storage.pages import Pages
from storage.records import EntriesRecorded, FeedEntry, FeedPlan, FeedPoll, FeedState
from storage.rows import feed_state
from storage.statements import insert_or, slices
from storage.tables import feed_entries, feeds, pages, sources

SKEW = timedelta(minutes=10)
"""What lies further ahead than this was written by a clock that was ahead."""
PLANNED_AHEAD = timedelta(days=2)
"""Plans that lie further ahead are looked at again, which changes nothing where a rule does ask for such a time."""
MOST_ABOVE = 10
"""Indexes above a sitemap are gone up no further, should they lead round in a circle."""

_PLAN = (
    update(feeds)
    # Whoever asked for a poll meanwhile has it.
    .where(feeds.c.id == bindparam("feed"), or_(feeds.c.requested_at.is_(None), feeds.c.next_poll_at.is_(None)))
    .values(next_poll_at=bindparam("due", type_=feeds.c.next_poll_at.type), next_poll_reason=bindparam("why"))
)
_UNTIL = bindparam("until", type_=feeds.c.learnt_until.type)
_LEARN = (
    update(feeds)
    # Two processes that plan at once learn from a poll once.
    .where(feeds.c.id == bindparam("feed"), or_(feeds.c.learnt_until.is_(None), feeds.c.learnt_until < _UNTIL))
    .values(
        poll_seconds=bindparam("seconds", type_=feeds.c.poll_seconds.type),
        learnt_until=_UNTIL,
        # Not to nothing: a poll may have been recorded since this was planned.
        unlearnt_new=feeds.c.unlearnt_new - bindparam("used", type_=feeds.c.unlearnt_new.type),
    )
)


def read_anew(now: datetime) -> dict[str, Any]:
    """Return the values of a feed that is due as if it had never been read, because its links are another source's now.

    What an index leads to is not due by itself.
    """
    forgotten = ("last_polled_at", "etag", "last_modified", "body_digest", "goes_on_at", "probed_at", "learnt_until")
    due = case((feeds.c.parent_id.is_(None), bindparam("due_now", now, type_=feeds.c.next_poll_at.type)))
    begun = {"next_poll_at": due, "next_poll_reason": PollReason.NEW.value, "consecutive_failures": 0}
    return begun | {"unlearnt_new": 0, "moved_polls": 0} | dict.fromkeys(forgotten)


class Feeds:
    """Knows the feeds and their entries."""

    def __init__(self, connection: Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages
        self._hints = Hints(connection)

    def ensure(
        self,
        source_id: int,
        url: str,
        now: datetime,
        kind: FeedKind = FeedKind.UNKNOWN,
        *,
        watched: bool = True,
        found_by: str | None = None,
        parent_id: int | None = None,
        changed_at: datetime | None = None,
        depth: int | None = None,
    ) -> FeedState:
        """Return the feed at `url`, made for that source and due at once if it is new.

        With `watched` the service polls it from now on, unless somebody paused it; without, that stays as it was, which
        is not at first. One with
        a `parent_id` is never due by itself: the index that leads to it polls it, and says by `changed_at` when it
        changed last. A feed of a source that was made for a domain goes over to a configured source, and is read anew.
        """
        statement = insert_or(self._connection, feeds).values(
            source_id=source_id,
            url=url,
            kind=kind.value,
            next_poll_at=now if parent_id is None else None,
            next_poll_reason=PollReason.NEW.value if parent_id is None else None,
            consecutive_failures=0,
            configured=False,
            paused=not watched,
            first_seen_at=now,
            parent_id=parent_id,
            found_by=found_by,
            changed_at=changed_at,
            depth=depth,
        )
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["url"]))
        self._adopt(source_id, url, now)
        if changed_at is not None:
            self._connection.execute(update(feeds).where(feeds.c.url == url).values(changed_at=changed_at))
        if watched:
            wanted = and_(feeds.c.url == url, feeds.c.paused_by.is_(None))
            self._connection.execute(update(feeds).where(wanted).values(paused=False))
        feed = self.by_url(url)
        if feed is None:
            raise LookupError(f"the feed {url} vanished while it was made")
        return feed

    def _adopt(self, source_id: int, url: str, now: datetime) -> None:
        adopting = select(sources.c.id).where(sources.c.id == source_id, sources.c.configured)
        ad_hoc = select(sources.c.id).where(~sources.c.configured)
        adopted = and_(feeds.c.url == url, feeds.c.source_id.in_(ad_hoc), adopting.exists())
        self._connection.execute(update(feeds).where(adopted).values(source_id=source_id, **read_anew(now)))

    def by_url(self, url: str) -> FeedState | None:
        """Return the feed at `url`, or None."""
        found = self._states(select(feeds).where(feeds.c.url == url))
        return found[0] if found else None

    def goes_on(self, feed_id: int, url: str | None) -> None:
        """Say where reading a feed's further pages is to go on should it end before its end; None for nowhere."""
        self._connection.execute(update(feeds).where(feeds.c.id == feed_id).values(goes_on_at=url))

    def probed(self, feed_id: int, now: datetime) -> None:
        """Say that the common places of a home page's publisher were tried."""
        self._connection.execute(update(feeds).where(feeds.c.id == feed_id).values(probed_at=now))

    def found(self, source_id: int, found_by: str) -> list[FeedState]:
        """Return the feeds of a source that were found in one way, paused ones too."""
        of_source = and_(feeds.c.source_id == source_id, feeds.c.found_by == found_by)
        return self._states(select(feeds).where(of_source).order_by(feeds.c.id))

    def children(self, parent_id: int) -> list[FeedState]:
        """Return the indexes that an index led to, the one first that it says changed last."""
        query = select(feeds).where(feeds.c.parent_id == parent_id)
        return self._states(query.order_by(feeds.c.changed_at.desc().nulls_last(), feeds.c.id))

    def due(self, now: datetime, limit: int, *, behind: FeedState | None = None) -> list[FeedState]:
        """Return watched feeds that are to be polled, longest due first; paused ones never.

        `behind` is the last feed of what an earlier call gave, to go on there.
        """
        query = (
            select(feeds)
            .join(sources, and_(sources.c.id == feeds.c.source_id, sources.c.watched, ~sources.c.paused))
            .where(feeds.c.next_poll_at <= now, ~feeds.c.paused, feeds.c.parent_id.is_(None))
            .order_by(feeds.c.next_poll_at, feeds.c.id)
            .limit(limit)
        )
        if behind is not None:
            at_once = and_(feeds.c.next_poll_at == behind.next_poll_at, feeds.c.id > behind.feed_id)
            query = query.where(or_(feeds.c.next_poll_at > behind.next_poll_at, at_once))
        return self._states(query)

    def for_sources(self, source_ids: Collection[int]) -> list[FeedState]:
        """Return the feeds of these sources that are not paused, in the order in which they were made.

        Those that another index leads to and polls are left out.
        """
        wanted = and_(feeds.c.source_id.in_(list(source_ids)), ~feeds.c.paused, feeds.c.parent_id.is_(None))
        return self._states(select(feeds).where(wanted).order_by(feeds.c.id))

    def section_urls(self, source_id: int, limit: int) -> list[str]:
        """Return the addresses of a source's sections: those that are configured, and those that lead to pages."""
        leads_somewhere = exists().where(feed_entries.c.feed_id == feeds.c.id)
        of_source = and_(
            feeds.c.source_id == source_id,
            feeds.c.kind == FeedKind.SECTION.value,
            or_(feeds.c.configured, leads_somewhere),
        )
        return list(self._connection.scalars(select(feeds.c.url).where(of_source).order_by(feeds.c.id).limit(limit)))

    def unplanned(self) -> list[FeedState]:
        """Return the feeds that have no next poll, though neither they nor their sources are paused."""
        return self._states(self._planned_for().where(feeds.c.next_poll_at.is_(None)))

    def forget_wrong_clock(self, now: datetime) -> int:
        """Take back what a clock that was ahead of `now` wrote of feeds, which would be left alone until then.

        They count as polled now, and have no next poll; return how many there were.
        """
        ahead = now + SKEW
        at_most_now = {
            name: case(
                (feeds.c[name] > ahead, bindparam("at_most", now, type_=feeds.c[name].type)), else_=feeds.c[name]
            )
            for name in ("last_polled_at", "last_success_at", "requested_at")
        }
        # What was learnt from a gap that reached so far is as wrong.
        learnt = {
            name: case((feeds.c.learnt_until <= ahead, feeds.c[name])) for name in ("learnt_until", "poll_seconds")
        }
        # A feed that was never polled is due as soon as it is found.
        found = and_(feeds.c.next_poll_reason == PollReason.NEW.value, feeds.c.next_poll_at > ahead)
        wrong = or_(*(feeds.c[name] > ahead for name in (*at_most_now, "learnt_until")), found)
        anew = at_most_now | learnt | {"next_poll_at": at_most_now["requested_at"]}
        return self._connection.execute(update(feeds).where(wrong).values(anew)).rowcount

    def to_plan(self, limit: int, *, behind: int, anew: bool, now: datetime) -> list[FeedState]:
        """Return feeds that have no next poll, or one that lies far ahead, by their ids from behind the one given on.

        With `anew`, those too that have another one, unless an operator asked for it or they were never polled.
        """
        is_settled = or_(feeds.c.requested_at.is_not(None), feeds.c.last_polled_at.is_(None))
        unplanned = or_(feeds.c.next_poll_at.is_(None), feeds.c.next_poll_at > now + PLANNED_AHEAD)
        wanted = or_(unplanned, ~is_settled) if anew else unplanned
        return self._states(self._planned_for().where(feeds.c.id > behind, wanted).limit(limit))

    def _planned_for(self) -> Select[Any]:
        return (
            select(feeds)
            .join(sources, and_(sources.c.id == feeds.c.source_id, ~sources.c.paused))
            .where(~feeds.c.paused, feeds.c.parent_id.is_(None))
            .order_by(feeds.c.id)
        )

    def plan(self, plans: Sequence[FeedPlan]) -> None:
        """Say when feeds are due next and why, and what was learnt of them."""
        rows = [
            {
                "feed": plan.feed_id,
                "due": plan.next_poll_at,
                "why": plan.reason.value,
                "seconds": plan.poll_seconds,
                "until": plan.learnt_until,
                "used": plan.learnt_new,
            }
            for plan in plans
        ]
        learnt = [row for row in rows if row["until"] is not None]
        if rows:
            self._connection.execute(_PLAN, [{name: row[name] for name in ("feed", "due", "why")} for row in rows])
        if learnt:
            columns = ("feed", "seconds", "until", "used")
            self._connection.execute(_LEARN, [{name: row[name] for name in columns} for row in learnt])

    def _states(self, query: Select[Any]) -> list[FeedState]:
        return [feed_state(row) for row in self._connection.execute(query).mappings()]

    def record_poll(self, poll: FeedPoll) -> EntriesRecorded:
        """Record what a poll came to, with the entries that it carries; the feed has no next poll until it is planned.

        Validators and digest are replaced when entries were listed, and the validators forgotten after a failure, so
        that the next poll is unconditional. For a long feed record the entries before, in slices, with
        `record_entries`. What was new in a sitemap of an index was new in the index, and in the one above it.
        """
        feed = self._connection.execute(select(feeds).where(feeds.c.id == poll.feed_id)).mappings().one()
        recorded = self.record_entries(poll.feed_id, feed["source_id"], poll.entries, poll.polled_at)
        values = polled_values(poll, feed, recorded)
        self._connection.execute(update(feeds).where(feeds.c.id == poll.feed_id).values(values))
        if poll.outcome is Outcome.LISTED:
            self._note_above(feed["parent_id"], poll.new + recorded.new)
        return recorded

    def _note_above(self, parent_id: int | None, new: int) -> None:
        """Count what was new in a sitemap for the indexes that led to it."""
        counts = {
            "unlearnt_new": feeds.c.unlearnt_new + new,
            "last_new": func.coalesce(feeds.c.last_new, 0) + new,
        }
        for _ in range(MOST_ABOVE):
            if parent_id is None or not new:
                return
            above = update(feeds).where(feeds.c.id == parent_id).values(counts).returning(feeds.c.parent_id)
            parent_id = self._connection.execute(above).scalar()

    def record_entries(
        self,
        feed_id: int,
        source_id: int,
        entries: Sequence[FeedEntry],
        now: datetime,
        *,
        first_due_at: datetime | None = None,
        spacing: timedelta = timedelta(0),
        most_new: int | None = None,
    ) -> EntriesRecorded:
        """Record that a feed lists these entries: their pages, and its own title and dates.

        New pages are due at `first_due_at` (`now` without it) and, by their order, `spacing` apart. Those that are due
        later than they were found are a back catalogue, which is fetched behind all else that is due. Without
        `first_due_at` a page that waited as part of such a catalogue no longer does. Beyond `most_new` new pages none
        is made.

        About 30 µs an entry; give a long feed in slices of a few hundred, each in its own transaction.
        """
        new = known = cut = 0
        due_at = first_due_at or now
        distinct = list({entry.url_key: entry for entry in reversed(entries)}.values())[::-1]
        for part in map(partial(self._as_known, feed_id), slices(distinct)):
            room = None if most_new is None else max(0, most_new - new)
            page_ids, added = self._pages.ensure_listed(
                source_id, part, now, due_at=due_at, spacing=spacing, most_new=room
            )
            new, known = new + added, known + len(page_ids) - added
            cut += len({entry.url_key for entry in part}) - len(page_ids)
            due_at += spacing * added
            if first_due_at is None:
                self._pages.hasten(page_ids.values())
            self._list(feed_id, part, page_ids, now)
            self._hints.note(feed_id, page_ids.values(), now)
        return EntriesRecorded(new=new, known=known, cut=cut)

    def _as_known(self, feed_id: int, entries: Sequence[FeedEntry]) -> Sequence[FeedEntry]:
        """Return entries of which the feed listed some before under the same ids and titles, but at other addresses:
        these have the keys of their pages."""
        with_id = {entry.entry_id: entry for entry in entries if entry.entry_id is not None}
        if not with_id:
            return entries
        named = select(pages.c.url_key).where(pages.c.url_key.in_([entry.url_key for entry in with_id.values()]))
        known = set(self._connection.scalars(named))
        unknown = [entry_id for entry_id, entry in with_id.items() if entry.url_key not in known]
        listed = (
            select(feed_entries.c.entry_id, feed_entries.c.title, pages.c.url_key, pages.c.host)
            .join(pages, pages.c.id == feed_entries.c.page_id)
            .where(feed_entries.c.feed_id == feed_id, feed_entries.c.entry_id.in_(unknown))
            .order_by(feed_entries.c.last_listed_at, pages.c.id)
        )
        found = {row.entry_id: row for row in self._connection.execute(listed)} if unknown else {}
        keyed: dict[str, FeedEntry] = {}
        for entry in entries:
            row = None if entry.entry_id is None else found.get(entry.entry_id)
            one = replace(entry, url_key=row.url_key) if row is not None and _is_same(entry, row) else entry
            keyed.setdefault(one.url_key, one)
        return list(keyed.values())

    def _list(self, feed_id: int, entries: Sequence[FeedEntry], page_ids: dict[str, int], now: datetime) -> None:
        rows = [
            {
                "feed_id": feed_id,
                "page_id": page_ids[entry.url_key],
                "first_listed_at": now,
                "last_listed_at": now,
                "title": entry.title,
                "published_at": entry.published_at,
                "published_raw": entry.published_raw,
                "updated_at": entry.updated_at,
                "entry_id": entry.entry_id,
            }
            for entry in entries
            if entry.url_key in page_ids
        ]
        if not rows:
            return
        statement = insert_or(self._connection, feed_entries)
        newest = ("last_listed_at", "title", "published_at", "published_raw", "updated_at", "entry_id")
        statement = statement.on_conflict_do_update(
            index_elements=["feed_id", "page_id"], set_={name: statement.excluded[name] for name in newest}
        )
        self._connection.execute(statement, rows)


def _is_same(entry: FeedEntry, listed: Any) -> bool:
    """Say whether an entry is one that was listed under the same id: by its title, or where it has none by all of its
    address but the parameters. Some feeds number their entries anew each time."""
    if entry.host != listed.host or entry.title != listed.title:
        return False
    return entry.title is not None or entry.url_key.partition("?")[0] == listed.url_key.partition("?")[0]
