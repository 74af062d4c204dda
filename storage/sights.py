"""What a look at a page brings before its judge: a new reading, or a capture seen again and the state that it shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from storage import crawl_state
from storage.history import CurrentState, History
from storage.judgement import Verdict
from storage.model import ExtractedArticle
from storage.outcomes import Outcome
from storage.records import PageLook, Recorded


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A reading that is to be judged, and the capture that it can be traced to, where one was kept.

    `again` says that no new response was read: the capture was seen again.
    """

    reading: ExtractedArticle
    capture_id: int | None
    captured_at: datetime
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """A reading before its judge: the look that brought it, the locked page and its article.

    `made` is the version that the same look has made already: what else it tells changes nothing of its outcome.
    """

    look: PageLook
    page: RowMapping
    current: CurrentState
    sight: Sight
    made: Recorded | None = None

    @property
    def seen_at(self) -> datetime:
        """When the look was taken."""
        return self.look.fetch.finished_at

    @property
    def kept_capture(self) -> int | None:
        """The capture that this look brought; None where it only showed an old one again."""
        return None if self.sight.again else self.sight.capture_id

    def needs_capture(self, outcome: Outcome) -> Recorded:
        """Ask for the capture, without which nothing is recorded."""
        return Recorded(outcome=outcome, needs_capture=True, article_id=self.current.article_id)

    def refused(self, verdict: Verdict) -> Recorded:
        """Return what a look came to that told nothing of the article's state."""
        return Recorded(outcome=verdict.outcome, reason=verdict.reason, article_id=self.current.article_id)


class Sights:
    """Finds what is to be judged of a look at a page that is locked."""

    def __init__(self, history: History) -> None:
        self._history = history

    def of_new_page(self, look: PageLook, page: RowMapping, capture_id: int | None) -> Sight | None:
        """Return what is to be judged of a page without an article; None where nothing was read."""
        if look.article is not None:
            captured_at = look.fetch.finished_at if look.capture is None else look.capture.captured_at
            return Sight(reading=look.article, capture_id=capture_id, captured_at=captured_at)
        return self._candidate_again(look, page)

    def of_article(
        self, look: PageLook, page: RowMapping, current: CurrentState, capture_id: int | None
    ) -> Sight | None:
        """Return what is to be judged; None for a capture seen again that shows no state known of this article."""
        if look.article is not None:
            return self.of_new_page(look, page, capture_id)
        found = self._candidate_again(look, page)
        if found is None:
            again = look.same_as_capture
            reading = self._seen_before(again, page, current)
            if reading is None:
                return None
            found = Sight(reading=reading, capture_id=again, captured_at=look.fetch.finished_at, again=True)
        return None if self._history.reading(current, found.reading.extractor) is None else found

    def _candidate_again(self, look: PageLook, page: RowMapping) -> Sight | None:
        candidate = crawl_state.candidate(page)
        if candidate is None or look.same_as_capture != candidate.capture_id:
            return None
        return Sight(
            reading=candidate.article,
            capture_id=candidate.capture_id,
            captured_at=look.fetch.finished_at,
            again=True,
        )

    def _seen_before(self, again: int | None, page: RowMapping, current: CurrentState) -> ExtractedArticle | None:
        """Return the state that a capture shows which was seen again, None when that is not known."""
        if again is None:
            return None
        if again == current.capture_id:
            return current.version
        version = self._history.of_capture(current, again)
        if version is not None:
            return version.reading
        if again != page["seen_capture_id"]:
            return None
        # A capture kept though it made no version: it shows the current state, or while the page is flapping the one
        # that was seen last.
        flapping = crawl_state.flapping(page)
        return current.version if flapping is None else self._history.numbered(current, flapping.number)


def decided_outcome(look: PageLook) -> Outcome:
    """Return the outcome that a look brings. Raises ValueError when it brings none."""
    if look.fetch.outcome is None:
        raise ValueError(f"the fetch of {look.fetch.url} has neither an outcome nor a reading")
    return look.fetch.outcome
