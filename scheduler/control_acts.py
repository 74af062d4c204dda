"""What can be said by hand of a source, a feed or a page, each an act in the transaction of `scheduler.control`."""

from urllib.parse import urlsplit

from crawler.catalogue import domains_of
from crawler.urls import feed_entry, registrable_domain, url_key
from scheduler.control import Action, CannotBeDone, Done, address, done, name_of
from storage.errors import NotFound, UsageError
from storage.model import FeedKind
from storage.operating import OPERATOR, Target
from storage.records import FeedState, StoredSource

# Pausing


def pause(action: Action, word: str, target: Target) -> Done:
    """Have the service leave a source, a feed or a page alone until it is resumed."""
    operating, name = action.tx.operating, name_of(target)
    if target.page is not None:
        if target.page.paused:
            return done(word, target, "unchanged", f"{name} is paused already.")
        operating.pause_page(target.page.page_id)
        return done(word, target, "paused", f"{name} is paused; only a crawl that names it fetches it.")
    if target.feed is not None:
        if target.feed.paused_by == OPERATOR:
            return done(word, target, "unchanged", f"{name} is paused already.")
        operating.pause_feed(target.feed.feed_id, action.now)
        return done(word, target, "paused", f"{name} is polled no more; its articles are still looked at.")
    if target.source.paused_by == OPERATOR:
        return done(word, target, "unchanged", f"{name} is paused already.")
    gone = target.source.paused
    operating.pause_source(target.source.source_id, action.now)
    if gone:
        says = f"{name} is gone from the configuration; should it come back, it stays paused."
    else:
        says = f"{name} is paused: its feeds are not polled, its pages not fetched."
    return done(word, target, "paused", says)


def resume(action: Action, word: str, target: Target) -> Done:
    """Take a pause back."""
    operating, name = action.tx.operating, name_of(target)
    if target.page is not None:
        if not target.page.paused:
            return done(word, target, "unchanged", f"{name} is not paused{_but(target)}.")
        operating.resume_page(target.page.page_id)
        return done(word, target, "resumed", f"{name} is no longer paused{_but(target)}.")
    if target.feed is not None:
        return _resume_feed(action, word, target, target.feed)
    if not target.source.paused:
        return done(word, target, "unchanged", f"{name} is not paused{_but(target)}.")
    named = action.around.names(target.source) and not _is_gone(action, target.source)
    operating.resume_source(target.source.source_id, action.now, in_configuration=named)
    if not named:
        says = f"{name} stays paused, because the configuration does not name it; put it back there."
        return done(word, target, "unchanged", says)
    return done(word, target, "resumed", f"{name} goes on; what came due meanwhile is due now{_but(target)}.")


def _is_gone(action: Action, source: StoredSource) -> bool:
    """Whether a source is paused by the configuration alone, as far as that can be said without its file."""
    return action.around.configured is None and source.configured and source.paused_by is None


def _resume_feed(action: Action, word: str, target: Target, feed: FeedState) -> Done:
    name = name_of(target)
    if not feed.paused:
        return done(word, target, "unchanged", f"{name} is not paused{_but(target)}.")
    if feed.paused_by is None:
        raise CannotBeDone(name, "is not paused by hand; nothing has it polled", f"`morgue watch {name}` does")
    named = action.around.names(target.source, feed)
    action.tx.operating.resume_feed(feed.feed_id, action.now, in_configuration=named)
    if not named:
        says = f"{name} stays paused, because the configuration does not name it; put it back there."
        return done(word, target, "unchanged", says)
    return done(word, target, "resumed", f"{name} is polled again{_but(target)}.")


def _but(target: Target) -> str:
    """Return what keeps the service from it all the same, as the end of a sentence."""
    slug = target.source.source.slug
    if target.source.paused and (target.feed or target.page):
        return f", but its source {slug} is paused"
    if not target.source.watched:
        return f", but {slug} is not the service's (`morgue watch {slug}`)"
    if target.page is not None and target.page.watch_ended:
        return ", but it is not watched any more (`morgue watch URL`)"
    return ""


# Asking for something now


def fetch(action: Action, word: str, target: Target) -> Done:
    """Have the service fetch a page, or poll the feeds of a source or one of them, as soon as it politely can."""
    operating, name = action.tx.operating, name_of(target)
    _check_served(target)
    if target.page is not None:
        if target.page.paused:
            raise CannotBeDone(name, "is paused", f"`morgue resume {name}` first, or `morgue crawl {name}` by hand")
        operating.request_fetch(target.page.page_id, action.now)
        return done(word, target, "requested", f"{name}: the service fetches it {action.waits(name)}.")
    if target.feed is not None:
        if target.feed.paused:
            by_hand = target.feed.paused_by is not None
            why = "is paused" if by_hand else "is not polled"
            first = f"`morgue {'resume' if by_hand else 'watch'} {name}` first"
            raise CannotBeDone(name, why, f"{first}, or `morgue crawl {name}` by hand")
        root = operating.root_of(target.feed)
        operating.request_poll(root.feed_id, action.now)
        by = "" if root.feed_id == target.feed.feed_id else f" with {root.url}, which leads to it,"
        return done(word, target, "requested", f"{name}: the service polls it{by} {action.waits(root.url)}.")
    if not target.feeds:
        raise CannotBeDone(name, "has no feed that is polled", "`morgue fetch URL` asks for one page")
    operating.request_polls(target.source.source_id, action.now)
    many = "its feed" if target.feeds == 1 else f"its {target.feeds} feeds"
    polled = action.tx.feeds.for_sources({target.source.source_id})
    waits = dict.fromkeys(action.waits(feed.url) for feed in polled)
    return done(word, target, "requested", f"{name}: the service polls {many} {' or '.join(waits)}.")


def _check_served(target: Target) -> None:
    slug = target.source.source.slug
    if target.source.paused:
        gone = target.source.paused_by is None
        why = "is not in the configuration any more" if gone else "is paused"
        remedy = "put it back there" if gone else f"`morgue resume {slug}` first"
        raise CannotBeDone(slug, why, f"{remedy}, or `morgue crawl {name_of(target)}` by hand")
    if not target.source.watched:
        raise CannotBeDone(
            slug, "is not the service's", f"`morgue watch {slug}` makes it so, `morgue crawl URL` fetches a page now"
        )


# Watching


def watch(action: Action, word: str, target: Target) -> Done:
    """Hand something to the service: a source made for a domain, one of its feeds, or a page that was released."""
    operating, name, source = action.tx.operating, name_of(target), target.source
    if source.paused and source.paused_by is None and source.configured:
        raise CannotBeDone(source.source.slug, "is not in the configuration any more", "put it back there")
    new = not source.watched
    if new:
        operating.watch_source(source.source_id, action.now, watched=True)
    paused = f", but {source.source.slug} is paused (`morgue resume {source.source.slug}`)" if source.paused else ""
    if target.page is not None:
        operating.watch_page(target.page.page_id, action.now)
        if target.page.paused:
            paused = f", but it is paused (`morgue resume {name}`)"
        return done(word, target, "watched", f"{name} is watched{_with_source(source, new)}{paused}.")
    if target.feed is not None:
        if not action.around.names(source, target.feed):
            raise CannotBeDone(name, "was taken out of the configuration", f"put it back under {source.source.slug}")
        operating.watch_feed(target.feed.feed_id, action.now)
        return done(word, target, "watched", f"{name} is polled{_with_source(source, new)}{paused}.")
    if not new:
        why = "the configuration names it" if source.configured else "it was handed over before"
        return done(word, target, "unchanged", f"{name} is watched already: {why}{paused}.")
    has = f"{target.pages} page{'' if target.pages == 1 else 's'}"
    more = "" if target.feeds else f" No feed of it is known: `morgue watch https://{name}/` has new articles found."
    return done(word, target, "watched", f"{name} is watched, with its {has}{paused}.{more}")


def _with_source(source: StoredSource, new: bool) -> str:
    return f" from now on, and so is all that is known of {source.source.slug}" if new else ""


def take_in(action: Action, word: str) -> Done:
    """Hand a URL to the service of which nothing is known. The service finds out what it is."""
    url = address(word)
    if url is None:
        raise NotFound(word, "is no URL", "name an http or https URL")
    source = _source_of(action, url)
    slug, operating = source.source.slug, action.tx.operating
    paused = f", once {slug} is resumed" if source.paused else ""
    kind = _index_by_address(url)
    if kind is not None:
        feed = operating.watch_index(source.source_id, url, kind, action.now)
        target = Target(source=source, feed=feed)
        says = f"{url} is new: the service looks there for articles, for {slug}, {action.waits(url)}{paused}."
        return done(word, target, "taken_in", says)
    operating.take_in(source.source_id, feed_entry(url), action.now)
    target = operating.find_page(url_key(url)) or Target(source=source)
    says = f"{url} is new: the service finds out what it is, for {slug}, {action.waits(url)}{paused}."
    return done(word, target, "taken_in", says)


def _index_by_address(url: str) -> FeedKind | None:
    """Return what index an address names that can name nothing else: a home page, a feed or a sitemap by its ending."""
    parts = urlsplit(url)
    path = parts.path.lower()
    if path in ("", "/") and not parts.query:
        return FeedKind.SECTION
    if path.endswith((".xml", ".xml.gz", ".rss", ".atom", ".rdf")):
        return FeedKind.SITEMAP if "sitemap" in path else FeedKind.UNKNOWN
    return None


def _source_of(action: Action, url: str) -> StoredSource:
    """Return the configured source of a URL's domain, paused by hand or not, or the one that stands for the domain."""
    domain = registrable_domain(url)
    for stored in action.tx.sources.all():
        gone = stored.paused and stored.paused_by is None
        if stored.configured and not gone and domain in domains_of(stored.source):
            return stored
    return action.tx.sources.for_domain(domain, action.now, watched=True)


def unwatch(action: Action, word: str, target: Target) -> Done:
    """Take something back from the service; what is known of it stays."""
    operating, name, source = action.tx.operating, name_of(target), target.source
    if target.page is not None:
        if target.page.released_by is not None:
            return done(word, target, "unchanged", f"{name} is not watched.")
        operating.release_page(target.page.page_id)
        return done(word, target, "released", f"{name} is not watched any more; all its versions stay.")
    if target.feed is not None:
        if action.around.configures(source, target.feed):
            raise UsageError(
                name, f"is a feed of {source.source.slug} in the configuration", "`morgue pause` has it left alone"
            )
        operating.pause_feed(target.feed.feed_id, action.now)
        return done(word, target, "released", f"{name} is polled no more; its articles are still looked at.")
    if source.configured:
        raise UsageError(
            name,
            "is the service's because the configuration names it",
            f"take it out there, or `morgue pause {name}` for a while",
        )
    if not source.watched:
        return done(word, target, "unchanged", f"{name} is not watched.")
    operating.watch_source(source.source_id, action.now, watched=False)
    return done(word, target, "released", f"{name} is not watched any more; all that is known of it stays.")
