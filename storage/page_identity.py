"""Which page's article a look is about: the asked page's, that of where it redirects, or that of the one it names."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from storage import crawl_state
from storage.article_fields import article_content, reading_from_json, reading_json
from storage.crawl_state import moved_for_good
from storage.fingerprint import text_digest
from storage.model import ArticleStatus, ExtractedArticle
from storage.outcomes import ARTICLE_SEEN, Outcome, Trait, with_trait
from storage.pages import Pages
from storage.records import FeedEntry, PageLook, Recorded
from storage.same_story import is_same_story, same_headline
from storage.tables import articles, pages

MOST_FAILURES = 3
"""Failures in a row after which nobody waits any longer for an article at an address."""

_LOCK = select(pages).where(pages.c.id == bindparam("page")).with_for_update()
_UPDATE_PAGE = update(pages).where(pages.c.id == bindparam("page"))
_ALIASES_TO = update(pages).where(pages.c.alias_of == bindparam("former")).values(alias_of=bindparam("primary"))
_ARTICLE_ID = select(articles.c.id).where(articles.c.primary_page_id == bindparam("page"))
_ARTICLE = select(articles).where(articles.c.primary_page_id == bindparam("page"))
_STATUS = select(articles.c.status).where(articles.c.primary_page_id == bindparam("page"))
_MOVE_ARTICLE = update(articles).where(articles.c.id == bindparam("article")).values(primary_page_id=bindparam("page"))
_ASK_ALIASES = (
    update(pages)
    .where(pages.c.alias_of == bindparam("page"))
    .values(next_fetch_at=bindparam("due", type_=pages.c.next_fetch_at.type))
)
_ASK_ALIASES_AGAIN = _ASK_ALIASES.where(pages.c.consecutive_failures.between(1, MOST_FAILURES - 1))
_ALIASES = select(pages.c.id).where(pages.c.alias_of == bindparam("page")).limit(bindparam("most"))
_LINKS_TO = (
    select(pages.c.feed_title)
    .where(pages.c.alias_of == bindparam("page"), pages.c.host == bindparam("host"))
    .limit(bindparam("most"))
)
_WAITING = (
    select(pages.c.id, pages.c.alias_of, pages.c.held_reading)
    .where(pages.c.alias_of.in_(bindparam("primaries", expanding=True)), pages.c.held_reading.is_not(None))
    .order_by(pages.c.id)
)
MOST_ALIASES_OF_A_LINK = 2
"""A page that so many others stand behind does not itself move on: links of the kind are followed twice in a row."""
MOST_WAITING = 50
"""No article has so many variants that are all seen before it is."""
MOST_OTHER_STORIES = 3
"""When pages with so many other headlines name an address already, it is the template that does."""
NO_ARTICLE = with_trait(Trait.LASTS)
_FORBIDDEN = frozenset({"disallowed", "noarchive"})
"""Reasons of `blocked_robots` that are the publisher's word, and last as well."""
_UNREDIRECTED = frozenset({None, *(outcome.value for outcome in ARTICLE_SEEN)})


class PageIdentity:
    """Finds the page that a look is judged on, and keeps aliases pointing at primary pages.

    An alias is a page that has no article of its own: its primary page stands for it, and is fetched in its stead.
    """

    def __init__(self, connection: Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages

    def lock(self, page_id: int) -> RowMapping:
        """Return a page, locked until the transaction ends. Raises LookupError when there is none."""
        row = self._connection.execute(_LOCK, {"page": page_id}).mappings().first()
        if row is None:
            raise LookupError(f"there is no page {page_id}")
        return row

    def article_id(self, page: RowMapping) -> int | None:
        """Return the id of the article that a page belongs to, or None."""
        found = self._connection.scalar(_ARTICLE_ID, {"page": page["alias_of"] or page["id"]})
        return None if found is None else int(found)

    def update(self, page_id: int, values: dict[str, Any]) -> None:
        """Write values of a page's row."""
        self._connection.execute(_UPDATE_PAGE, {"page": page_id, **values})

    def judged(self, look: PageLook, asked: RowMapping) -> RowMapping | None:
        """Return the page whose article the look is about, locked. `asked` is locked already.

        None says that nothing is to be judged: the asked page is an alias that shows the article of its primary page,
        which is not gone and alone makes versions.

        - A page that moved for good (every hop permanent) becomes an alias of where it leads; when it has an article
          already, that stays with it, and the new address becomes its alias.
        - A redirect that may end tomorrow makes no alias, or else a page that once led to a notice would never be asked
          again. What was read there is the asked page's, unless it is known as the text of another page's article.
        - An address that never had an article and leads to one of another publisher (an aggregator's, a shortener's)
          is an alias of that as well, whatever the status: it is nothing by itself.
        - Two articles are never made one here: the text is that of where it was found, and the asked page is asked
          again, later each time.
        - An alias that shows the article of a primary page that is gone becomes its primary page.
        """
        landed = look.landed
        if landed is None or landed.url_key == asked["url_key"]:
            return self._shows_itself(look, asked)
        for_good = moved_for_good(look.fetches_before) or self._leads_out(look, landed, asked)
        seen_at = look.fetch.finished_at
        known = (
            self._pages.ensure(asked["source_id"], landed, seen_at, due=False)
            if for_good
            else self._pages.by_key(landed.url_key)
        )
        if known is None:
            return self._stands_alone(look, asked)
        target = self._lock_primary(known.page_id)
        if target["id"] == asked["id"]:
            return asked
        if target["id"] != known.page_id and self._hands_over(target, look, known.page_id):
            asked, target = self.lock(asked["id"]), self.lock(known.page_id)
        already = target["id"] == asked["alias_of"]
        if not already and not self._owns_article(target["id"]):
            return self._moved(look, asked, target) if for_good else self._stands_alone(look, asked)
        moves = for_good and not self._owns_article(asked["id"])
        if moves:
            self._becomes_alias(asked, target["id"])
        # Else its own article was not seen, unless it is an alias already: it is asked again as after a failure.
        self._led_away(asked, look, failed=not moves and not already)
        return target

    def _leads_out(self, look: PageLook, landed: FeedEntry, asked: RowMapping) -> bool:
        """Say whether a page is only a link to an article of another publisher: one that says that it stands there,
        that has the title that the link was listed with, or is known. Where links with other titles led there too, it
        is a notice."""
        if landed.host == asked["host"] or asked["alias_of"] is not None or self._owns_article(asked["id"]):
            return False
        known = self._pages.by_key(landed.url_key)
        expected = look.names_itself or _has_listed_title(asked, look)
        if known is None:
            return expected
        primary = self._lock_primary(known.page_id)
        if not expected and not self._shows_article_of(primary, look):
            return False
        led = {"page": primary["id"], "host": asked["host"], "most": MOST_ALIASES_OF_A_LINK}
        titles = {asked["feed_title"], *self._connection.scalars(_LINKS_TO, led)}
        return len(titles) == 1

    def _moved(self, look: PageLook, asked: RowMapping, target: RowMapping) -> RowMapping | None:
        """Judge a page that leads for good to one without an article; an article that it belonged to stays one."""
        if self._owns_article(asked["id"]):
            self._shown_by(target, asked["id"], look)
            return asked
        primary = None if asked["alias_of"] is None else self._lock_primary(asked["alias_of"])
        self._becomes_alias(asked, target["id"])
        self._led_away(asked, look)
        if primary is None:
            return target
        if self._hands_over(primary, look, target["id"]):
            return self.lock(target["id"])
        if not self._shows_article_of(primary, look):
            return target
        self._shown_by(target, primary["id"], look)
        return None

    def _shown_by(self, alias: RowMapping, primary_id: int, look: PageLook) -> None:
        """Make a page that was reached and has no article an alias of the one whose article it shows."""
        self._becomes_alias(alias, primary_id)
        shown = crawl_state.after_fetch(alias, Outcome.UNCHANGED, look) | crawl_state.FORGET_CAPTURE
        self.update(alias["id"], shown)

    def _led_away(self, asked: RowMapping, look: PageLook, *, failed: bool = False) -> None:
        """Note that a page led to another's article. `failed` says that it is asked again later each time."""
        values = crawl_state.after_fetch(asked, Outcome.REDIRECTED, look) | crawl_state.FORGET_CAPTURE
        if failed:
            values["consecutive_failures"] = asked["consecutive_failures"] + 1
        self.update(asked["id"], values)

    # Pages that name another one as the address of their article

    def named_by(self, look: PageLook, primary: FeedEntry, asked: RowMapping) -> RowMapping | None:
        """Make a page an alias of the one that it names, and return that; None where its word is not to be believed.

        A page that has an article keeps it. Of one that has none, an article is looked for at the address that it
        names, and what it showed is held until then: it must prove to be the same story. Where that was in vain before,
        the page is believed only when the article is there.
        """
        reading, seen_at = look.article, look.fetch.finished_at
        if reading is None or self._owns_article(asked["id"]):
            return None
        known = self._pages.ensure(asked["source_id"], primary, seen_at, due=True)
        target = self._lock_primary(known.page_id)
        article = self._article_at(target["id"])
        if article is None and asked["canonical_refused"]:
            return None
        if target["id"] == asked["id"] or not self._may_stand_for(target, article, reading, asked):
            return None
        self._becomes_alias(asked, target["id"])
        values = crawl_state.after_fetch(asked, Outcome.REDIRECTED, look) | crawl_state.FORGET_CAPTURE
        held = None if article else reading_json(reading)
        self.update(asked["id"], values | {"held_reading": held, "canonical_refused": False})
        # Why robots.txt kept us from it is not known here, and it may not do so any more.
        if article is None and target["last_outcome"] in (None, Outcome.BLOCKED_ROBOTS.value):
            self.update(target["id"], {"next_fetch_at": target["next_fetch_at"] or seen_at, "watch_ended": False})
        return target

    def takes_over(self, look: PageLook, primary: FeedEntry, asked: RowMapping) -> bool:
        """Make a page the primary page of the article that it shows and whose own page is gone, without a version.

        That is the article at the address that the page names, or where none is known there, the one whose alias it is.
        """
        if self._owns_article(asked["id"]):
            return False
        named = self._pages.by_key(primary.url_key)
        former = None if named is None else self._lock_primary(named.page_id)
        if (former is None or not self._owns_article(former["id"])) and asked["alias_of"] is not None:
            former = self._lock_primary(asked["alias_of"])
        return former is not None and self._hands_over(former, look, asked["id"])

    def _hands_over(self, former: RowMapping, look: PageLook, page_id: int) -> bool:
        """Give the article of a page that is gone to one without an article, if a look shows it there."""
        if not self._is_gone(former["id"]) or not self._shows_article_of(former, look):
            return False
        article_id = self._connection.scalar(_ARTICLE_ID, {"page": former["id"]})
        self._connection.execute(_MOVE_ARTICLE, {"article": article_id, "page": page_id})
        # Whoever paused or released the article meant it, and not its address.
        by_hand: dict[str, Any] = {"released_by": former["released_by"]} if former["released_by"] else {}
        by_hand |= {"paused": True} if former["paused"] else {}
        self.update(page_id, {"alias_of": None, "held_reading": None} | by_hand)
        # What it saw before would speak for an article that is not its own any more.
        self.update(former["id"], crawl_state.FORGET_CAPTURE | {"next_fetch_at": None})
        self._becomes_alias(former, page_id)
        return True

    def _is_gone(self, page_id: int) -> bool:
        return self._connection.scalar(_STATUS, {"page": page_id}) == ArticleStatus.GONE.value

    def _shows_article_of(self, primary: RowMapping, look: PageLook) -> bool:
        article = self._article_at(primary["id"])
        return article is not None and look.article is not None and is_same_story(article, look.article)

    def ask_aliases(self, page_id: int, now: datetime, *, again: bool) -> None:
        """Make the aliases of a page due whose article is gone: one of them may show it still, and then takes it over.

        `again` says that they were due for this before: only those are that failed since, and not too often.
        """
        self._connection.execute(_ASK_ALIASES_AGAIN if again else _ASK_ALIASES, {"page": page_id, "due": now})

    def _may_stand_for(
        self, target: RowMapping, article: ExtractedArticle | None, reading: ExtractedArticle, asked: RowMapping
    ) -> bool:
        if article is not None:
            return is_same_story(article, reading)
        if not _is_expected_at(target):
            return False
        own = self._connection.execute(_ALIASES, {"page": asked["id"], "most": MOST_ALIASES_OF_A_LINK}).all()
        waiting = self._connection.execute(_WAITING.limit(MOST_WAITING), {"primaries": [target["id"]]}).all()
        if len(own) >= MOST_ALIASES_OF_A_LINK or len(waiting) >= MOST_WAITING:
            return False
        held = [reading_from_json(other.held_reading) for other in waiting if other.id != asked["id"]]
        return sum(not same_headline(other, reading) for other in held) < MOST_OTHER_STORIES

    def settle_waiting(self, page_id: int, recorded: Recorded, now: datetime) -> tuple[int, ...]:
        """Let the pages go that named this one, or its primary page, if it does not have their article after all.

        They are due at once, then under their own addresses, and are returned. Where nothing is known yet, they go on
        waiting. `recorded` is what the look at this page came to.
        """
        forbidden = recorded.outcome is Outcome.BLOCKED_ROBOTS and recorded.reason in _FORBIDDEN
        page = self.lock(page_id)
        named = {"primaries": [page["id"], *([] if page["alias_of"] is None else [page["alias_of"]])]}
        released = []
        for waiting in self._connection.execute(_WAITING, named).all():
            article = self._article_at(waiting.alias_of)
            refused = forbidden and waiting.alias_of == page_id
            if article is None and not refused and _is_expected_at(self.lock(waiting.alias_of)):
                continue
            values: dict[str, Any] = {"held_reading": None}
            if article is None or not is_same_story(article, reading_from_json(waiting.held_reading)):
                values |= {"alias_of": None, "canonical_refused": True, "next_fetch_at": now, "watch_ended": False}
                released.append(int(waiting.id))
            self.update(waiting.id, values)
        return tuple(released)

    def _article_at(self, page_id: int) -> ExtractedArticle | None:
        row = self._connection.execute(_ARTICLE, {"page": page_id}).mappings().first()
        return None if row is None else article_content(dict(row))

    def _lock_primary(self, page_id: int) -> RowMapping:
        """Return the primary page that stands for a page, locked.

        Whether a page is an alias is known only once it is locked: another process may just have made it one.
        """
        page = self.lock(page_id)
        while page["alias_of"] is not None:
            page = self.lock(page["alias_of"])
        return page

    def _becomes_alias(self, page: RowMapping, primary_id: int) -> None:
        """Make a page an alias, and its own aliases with it: one always points at a primary page."""
        self.update(page["id"], {"alias_of": primary_id})
        self._connection.execute(_ALIASES_TO, {"former": page["id"], "primary": primary_id})

    def _shows_itself(self, look: PageLook, asked: RowMapping) -> RowMapping | None:
        """Return the page whose article an address shows that was not redirected.

        An alias that redirected when it was fetched last and now shows another article is a page of its own again. One
        that never did is where its primary page leads, so what it shows is that one's article, until that is gone.
        """
        if asked["alias_of"] is None or look.article is None:
            return asked
        primary = self._lock_primary(asked["alias_of"])
        if asked["last_outcome"] not in _UNREDIRECTED or self._is_gone(primary["id"]):
            return self._stands_alone(look, asked)
        self.update(asked["id"], crawl_state.after_fetch(asked, Outcome.UNCHANGED, look))
        return primary

    def _stands_alone(self, look: PageLook, asked: RowMapping) -> RowMapping | None:
        """Return a page as its own; None where it stays an alias, because it shows the article of its primary page."""
        if asked["alias_of"] is None:
            return asked
        primary = self._lock_primary(asked["alias_of"])
        if not self._hands_over(primary, look, asked["id"]):
            if self._shows_article_of(primary, look):
                self._led_away(asked, look)
                return None
            self.update(asked["id"], {"alias_of": None, "held_reading": None})
        return self.lock(asked["id"])

    def _owns_article(self, page_id: int) -> bool:
        return self._connection.scalar(_ARTICLE_ID, {"page": page_id}) is not None


def _is_expected_at(page: RowMapping) -> bool:
    """Say whether an article may still be found at an address that gave none so far."""
    refused = page["last_outcome"] is not None and Outcome(page["last_outcome"]) in NO_ARTICLE
    return not refused and page["consecutive_failures"] < MOST_FAILURES


def _has_listed_title(page: RowMapping, look: PageLook) -> bool:
    """Say whether an article has the headline that an index gives its page as title."""
    if look.article is None or not look.article.headline or not page["feed_title"]:
        return False
    return text_digest(look.article.headline) == text_digest(page["feed_title"])
