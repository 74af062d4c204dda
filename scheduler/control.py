"""What an operator says by hand: each word is found, all are checked, and then all is done in one transaction, or none.

What is said holds for a running service within a tick or two, and else at the next start.
"""

import difflib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.urls import InvalidUrl, clean_url, host_key, url_key
from storage.clock import utc_now
from storage.errors import DatabaseBusy, MorgueError, NotFound, UsageError
from storage.model import Source
from storage.operating import PageStanding, Target
from storage.records import FeedState, StoredSource
from storage.sources import CONFIGURED, indexes_of
from storage.store import Store, Transaction

TRIES = 5
"""A transaction that the database ended for another's sake is begun anew so often."""


class CannotBeDone(MorgueError):
    """What is asked makes no sense as things stand; the remedy says what would."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was done about one word. `result` is a short code for programs, `says` a sentence for people."""

    target: str
    kind: str
    source: str
    url: str | None
    result: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What actions need to know besides the database.

    `configured` are the sources that the configuration file names, None without a file. `requests_per_day` is how
    often a host may be asked in a day, 0 for any number.
    """

    configured: Sequence[Source] | None
    requests_per_day: int

    def names(self, source: StoredSource, feed: FeedState | None = None) -> bool:
        """Whether the configuration still names a source, or a feed of it; what nobody configured needs no naming."""
        if self.configured is None or not source.configured:
            return True
        if all(one.slug != source.source.slug for one in self.configured):
            return False
        return feed is None or feed.found_by != CONFIGURED or self.configures(source, feed)

    def configures(self, source: StoredSource, feed: FeedState) -> bool:
        """Whether the configuration names a feed; without a file, whether it was found there."""
        if self.configured is None:
            return feed.found_by == CONFIGURED
        mine = (indexes_of(one) for one in self.configured if one.slug == source.source.slug)
        return any(feed.url in indexes for indexes in mine)


class Action:
    """One run of a command, in its transaction."""

    def __init__(self, transaction: Transaction, around: Surroundings) -> None:
        self.tx = transaction
        self.around = around
        self.now = utc_now()

    def find(self, word: str) -> Target | None:
        """Return what a word names, or None. Raises `UsageError` for what can be neither a source nor a URL."""
        source = self.tx.operating.find_source(word)
        if source is not None:
            return source
        url = address(word)
        if url is None:
            return None
        return self.tx.operating.find_feed(spellings(url)) or self.tx.operating.find_page(url_key(url))

    def waits(self, url: str) -> str:
        """Return when something at an address is asked for, as the end of a sentence."""
        host = host_key(url)
        for held in self.tx.hosts.held(budget=self.around.requests_per_day):
            if held.host == host:
                return f"when {host} may be asked again, in {round(held.seconds)} s ({held.reason})"
        return "at its next tick"


Act = Callable[[Action, str, Target], Done]


def address(word: str) -> str | None:
    """Return the clean URL that a word is, or None where it is none. Raises `UsageError` for a URL of another kind."""
    if "://" not in word and "." not in word.partition("/")[0] and ":" not in word.partition("/")[0]:
        return None
    try:
        return clean_url(word if "://" in word else f"https://{word}")
    except InvalidUrl as problem:
        raise UsageError(word, str(problem), "name an http or https URL, or the slug of a source") from problem


def spellings(url: str) -> list[str]:
    """Return the addresses by which a feed may be known that is named so: with or without TLS, www and a last slash."""
    parts = urlsplit(url)
    bare = parts.netloc.removeprefix("www.")
    ends = dict.fromkeys([parts.path, parts.path.rstrip("/") or "/", parts.path.rstrip("/") + "/"])
    schemes = dict.fromkeys([parts.scheme, "https", "http"])
    hosts = dict.fromkeys([parts.netloc, bare, f"www.{bare}"])
    return [
        parts._replace(scheme=scheme, netloc=host, path=path).geturl()
        for path in ends
        for host in hosts
        for scheme in schemes
    ]


def control(
    store: Store,
    words: Sequence[str],
    act: Act,
    around: Surroundings,
    *,
    unknown: Callable[[Action, str], Done] | None = None,
) -> list[Done]:
    """Do the same with all that is named. `unknown` does it with a URL of which nothing is known.

    Raises `NotFound` when a word names nothing, `CannotBeDone` and `UsageError`; then nothing was done.
    """
    for _ in range(TRIES - 1):
        try:
            return _control(store, words, act, around, unknown)
        except DatabaseBusy:
            continue
    return _control(store, words, act, around, unknown)


def _control(
    store: Store,
    words: Sequence[str],
    act: Act,
    around: Surroundings,
    unknown: Callable[[Action, str], Done] | None,
) -> list[Done]:
    with store.writing() as transaction:
        action = Action(transaction, around)
        found = {word: action.find(word) for word in dict.fromkeys(words)}
        missing = [word for word, target in found.items() if target is None and (unknown is None or not address(word))]
        if missing:
            raise _not_found(missing, transaction, around)
        transaction.operating.lock_pages({one.page.page_id for one in found.values() if one and one.page})
        action.now = utc_now()
        done = []
        for word in found:
            # Found once more: the word before may have made it, and who was waited for may have changed it.
            target = action.find(word)
            if target is not None:
                done.append(act(action, word, target))
            elif unknown is not None:
                done.append(unknown(action, word))
        return done


def _not_found(words: Sequence[str], transaction: Transaction, around: Surroundings) -> NotFound:
    known = [stored.source.slug for stored in transaction.sources.all()]
    waiting = {source.slug for source in around.configured or ()} - set(known)
    if address(words[0]) is not None:
        what = "no page and no feed of that address was ever seen"
        remedy = "`morgue watch URL` hands it to the service, `morgue crawl URL` fetches it now"
    elif words[0] in waiting:
        what = "stands in the configuration, but is not in force yet"
        remedy = "`morgue sources reload` brings it into force"
    else:
        what = "is neither a URL nor the slug of a source"
        remedy = _suggestion(words[0], known)
    return NotFound(", ".join(words) if len(words) > 1 else words[0], what, remedy)


def _suggestion(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "there is no source yet"
    shown = sorted(known)[:10]
    return f"known sources: {', '.join(shown)}{' and more' if len(known) > len(shown) else ''}"


def done(word: str, target: Target, result: str, says: str) -> Done:
    what: FeedState | PageStanding | None = target.feed or target.page
    kind = "feed" if target.feed else "page" if target.page else "source"
    if target.page is not None and target.page.named_url is not None:
        says = f"{target.page.named_url} is another address of this page. {says}"
    return Done(
        target=word,
        kind=kind,
        source=target.source.source.slug,
        url=None if what is None else what.url,
        result=result,
        says=says,
    )


def name_of(target: Target) -> str:
    """Return how a sentence names a target."""
    what: FeedState | PageStanding | None = target.feed or target.page
    return target.source.source.slug if what is None else what.url


def service_sentence(running: bool, says: dict[str, object] | None, *, at_once: str = "") -> str:
    """Return whether and when what was said is in force. `says` is how the service presents itself."""
    if not running:
        return f"No service runs on this database; this is in force at its next start.{at_once}"
    who = f" (process {says['pid']} on {says['host']})" if says and "pid" in says and "host" in says else ""
    return f"The service{who} heeds it within seconds; what it is fetching already is finished."
