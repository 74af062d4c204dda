"""Gathers from the database what a reading is judged by (`storage.judgement`)."""

from sqlalchemy import RowMapping

from storage import crawl_state
from storage.changes import Change, decide
from storage.history import History
from storage.host_pages import HostPages
from storage.judgement import OTHER_ARTICLE, SAME_TEXT_ELSEWHERE, Verdict, judge
from storage.model import ExtractedArticle
from storage.records import Candidate, CandidateKind
from storage.sights import Case
from storage.suspicion import doubt_about, is_behind_paywall, names_another, names_itself


class Evidence:
    """What the article's past and the host's other pages say of a reading."""

    def __init__(self, history: History, host: HostPages) -> None:
        self._history = history
        self._host = host

    def verdict(self, case: Case, baseline: ExtractedArticle) -> Verdict:
        new, current, page = case.sight.reading, case.current, case.page
        change = Change() if new == baseline else decide(baseline, new)
        live_blog = case.look.live_blog
        doubt = None if change.same_text else doubt_about(new, old=baseline, live_blog=live_blog)
        candidate = crawl_state.candidate(page, seen_at=case.seen_at)
        named = doubt is not None and names_itself(new, old=baseline, url=page["url"])
        return judge(
            new,
            change=change,
            settled=self._history.settled(current, change.tentative, new.extractor),
            now=case.seen_at,
            current=current.known(baseline),
            # A capture seen again tells nothing of what changed around the text since.
            shown=new if case.sight.again else current.shown,
            earlier=None if new == baseline else self._history.earlier(current, new),
            candidate=candidate,
            waited=crawl_state.waited(page),
            flapping=crawl_state.flapping(page),
            doubt=doubt,
            elsewhere=doubt is not None and self._host.others_with(page, new, most=1, copies=named) > 0,
            candidate_elsewhere=doubt is not None and self._stood_elsewhere(page, candidate, copies=named),
            named=named,
            names_other=doubt is not None and self._names_other_article(page, new, old=baseline),
            behind_paywall=not change.same_text and is_behind_paywall(new, old=baseline),
            live_blog=live_blog,
        )

    def _names_other_article(self, page: RowMapping, new: ExtractedArticle, *, old: ExtractedArticle) -> bool:
        """Say whether a page names itself another article than before, one that we hold."""
        return names_another(new, old=old) and self._host.names_other_article(page, new)

    def _stood_elsewhere(self, page: RowMapping, candidate: Candidate | None, *, copies: bool) -> bool:
        """Say whether other pages gave a suspect text, when it was seen first or since."""
        if candidate is None or not candidate.kind.suspect:
            return False
        if candidate.kind is CandidateKind.ELSEWHERE:
            return True
        return self._host.others_with(page, candidate.article, most=1, copies=copies) > 0

    def known_as_other(self, case: Case) -> str | None:
        """Return why a text that can be compared with nothing is known to be another page's; None where it is not."""
        page, new, old = case.page, case.sight.reading, case.current.version
        if self._names_other_article(page, new, old=old):
            return OTHER_ARTICLE
        if self._host.has_text_of(page, new):
            return None
        named = names_itself(new, old=old, url=page["url"])
        return SAME_TEXT_ELSEWHERE if self._host.others_with(page, new, most=1, copies=named) else None
