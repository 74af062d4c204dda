"""What feeds and sitemaps say of when their entries were changed, as hints that a page is worth another look."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, func, literal, or_, select, update

from storage.tables import articles, feed_entries, pages

CLOCK_LEEWAY = timedelta(minutes=5)
"""A publisher's clock may be so far ahead of ours. What claims to be changed later than that is not believed."""
HINTED_ANEW = timedelta(days=1)
"""A page that is not watched any more is thought of again when a hint is so much newer than the one that waits: an
index that gives every entry the time of its own making costs no more than a thought a day."""

_LAST_LOOK = func.coalesce(pages.c.last_look_at, pages.c.last_fetch_at)
_NEW_HINT = bindparam("hint", type_=pages.c.hinted_at.type)
_HINT = update(pages).where(pages.c.id == bindparam("page"), _LAST_LOOK < _NEW_HINT).values(hinted_at=_NEW_HINT)
_HINT_AND_PLAN_ANEW = _HINT.values(next_fetch_at=pages.c.requested_at, watch_ended=False)
"""What somebody asked for stays due."""


class Hints:
    """Notes hints on the pages of articles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, feed_id: int, page_ids: Collection[int], now: datetime) -> None:
        """Note what a feed says of when these of its entries were changed, as it stands in `feed_entries`.

        A time counts when it is newer than the last look at the article and than every hint before. Then a page that
        waits for its next look, or is not watched any more, has no plan until the planner has thought of it, unless it
        waits with an earlier hint already. The hint to an alias is one to its primary page. A page that an operator
        paused, or does not want to be watched, is left alone.
        """
        hinted = [(row, _is_planned_anew(row, now)) for row in self._hinted(feed_id, page_ids, now)]
        for statement, anew in ((_HINT, False), (_HINT_AND_PLAN_ANEW, True)):
            rows = [{"page": row["id"], "hint": row["hint"]} for row, wanted in hinted if wanted is anew]
            if rows:
                self._connection.execute(statement, rows)

    def _hinted(self, feed_id: int, page_ids: Collection[int], now: datetime) -> list[RowMapping]:
        """Return the pages with a hint that is new, the newest where several addresses of theirs have one."""
        changed_at, present = feed_entries.c.updated_at, literal(now, type_=pages.c.hinted_at.type)
        hint: Any = case((changed_at > present, present), else_=changed_at)
        listed = pages.alias("listed")
        query = (
            select(
                pages.c.id,
                func.max(hint).label("hint"),
                pages.c.hinted_at,
                _LAST_LOOK.label("last_look_at"),
                pages.c.next_fetch_at,
                pages.c.watch_ended,
            )
            .select_from(feed_entries)
            .join(listed, listed.c.id == feed_entries.c.page_id)
            .join(pages, pages.c.id == func.coalesce(listed.c.alias_of, listed.c.id))
            .join(articles, articles.c.primary_page_id == pages.c.id)
            .where(
                feed_entries.c.feed_id == feed_id,
                feed_entries.c.page_id.in_(sorted(page_ids)),
                changed_at <= now + CLOCK_LEEWAY,
                hint > _LAST_LOOK,
                or_(pages.c.hinted_at.is_(None), hint > pages.c.hinted_at),
                ~pages.c.paused,
                pages.c.released_by.is_(None),
            )
            .group_by(pages.c.id)
            .order_by(pages.c.id)
        )
        return list(self._connection.execute(query).mappings())


def _is_planned_anew(row: RowMapping, now: datetime) -> bool | None:
    """Whether a hint takes back the plan of its page; None where it is not even noted."""
    waits = row["hinted_at"] is not None and row["hinted_at"] > row["last_look_at"]
    if row["watch_ended"]:
        return True if not waits or row["hint"] - row["hinted_at"] >= HINTED_ANEW else None
    return not waits and row["next_fetch_at"] is not None and bool(row["next_fetch_at"] > now)
