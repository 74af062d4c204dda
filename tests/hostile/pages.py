"""Pages that are no article, walls, what pages ask of archives, and second looks."""

from typing import Any

from storage.outcomes import Outcome
from tests.hostile.case import Case, Kept, page_case
from tests.integration.bad_answers import PAGE, PARAGRAPHS, head, page
from tests.integration.bad_server import Script, answer


def _html(body: str, *, title: str = "Lamp", head_markup: str = "") -> bytes:
    return answer(
        f"<!doctype html><html><head><title>{title}</title>{head_markup}</head><body>{body}</body></html>".encode()
    )


_LINKS = "".join(
    f'<article><h3><a href="/2024/05/{number:02}/lamp-{number}-is-lit-again">Lamp {number} is lit again</a></h3>'
    "<p>Read on</p></article>"
    for number in range(1, 25)
)

NO_ARTICLES = [
    page_case(
        "script shell",
        "sends an empty element and a script",
        _html('<div id="root"></div><script src="/app.js"></script>'),
        Outcome.SCRIPT_SHELL,
        "no_text_without_scripts",
        Kept.CAPTURE,
    ),
    page_case(
        "not found with 200",
        "answers 200 with `Page not found`",
        _html(
            "<h1>Page not found</h1><p>The page you are looking for does not exist. Try our home page.</p>",
            title="Page not found",
        ),
        Outcome.SOFT_404,
        "not_found_page",
        Kept.CAPTURE,
    ),
    page_case(
        "an index of teasers",
        "sends twenty-four teasers",
        _html(f"<h1>Lamps</h1>{_LINKS}"),
        Outcome.LISTED,
        None,
        Kept.LINKS,
        later=False,
    ),
    page_case(
        "a page that takes long to read",
        "sends more than can be read in the time given",
        answer(page(tuple(f"{number}. {text}" for number in range(200) for text in PARAGRAPHS)).encode()),
        Outcome.EXTRACT_FAILED,
        "timeout",
        Kept.CAPTURE,
        hurried=True,
    ),
]


def _wall(name: str, does: str, body: str, outcome: Outcome, reason: str, *, title: str = "Lamp") -> Case:
    return page_case(name, does, _html(body, title=title), outcome, reason, Kept.CAPTURE)


WALLS = [
    _wall(
        "consent wall",
        "asks for cookies before it shows anything",
        "<h1>Your privacy matters</h1><p>We and our 812 partners store and access cookies on your device to show you "
        "personalised advertising and content.</p><p>You can accept or reject our use of cookies for these purposes, "
        "or manage your choices.</p><button>Accept all</button><button>Reject all</button>",
        Outcome.CONSENT_WALL,
        "asks_for_consent",
    ),
    _wall(
        "login wall",
        "asks for a password before it shows anything",
        '<h1>Log in</h1><p>Log in to read on.</p><form action="/login"><input type="email" name="email">'
        '<input type="password" name="password"><button>Log in</button></form>',
        Outcome.LOGIN_WALL,
        "login_form",
        title="Log in",
    ),
    _wall(
        "bot check",
        "asks whether we are human",
        "<h1>Just a moment...</h1><p>Checking your browser before you proceed. Verify you are human by completing the "
        'action below.</p><form id="challenge-form"></form>',
        Outcome.BOT_CHECK,
        "challenge",
        title="Just a moment...",
    ),
    _wall(
        "maintenance",
        "says with 200 that it is being repaired",
        "<h1>We'll be back soon</h1><p>The site is down for scheduled maintenance. Please check back soon.</p>",
        Outcome.MAINTENANCE,
        "maintenance_notice",
        title="Scheduled maintenance",
    ),
]

ASKS = [
    page_case(
        "noarchive by header",
        "sends `X-Robots-Tag: noarchive`",
        answer(PAGE, "X-Robots-Tag: noarchive"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
        opt_outs=("noarchive",),
    ),
    page_case(
        "noarchive by markup",
        "asks not to be archived, in its markup",
        answer(page(head='<meta name="robots" content="noarchive">').encode()),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
        opt_outs=("noarchive",),
    ),
    page_case(
        "noarchive by header, respected",
        "sends `X-Robots-Tag: noarchive`, and `respect_noarchive` is on",
        answer(PAGE, "X-Robots-Tag: noarchive"),
        Outcome.BLOCKED_ROBOTS,
        "noarchive",
        respecting=True,
        opt_outs=("noarchive",),
    ),
    page_case(
        "noarchive by markup, respected",
        "asks not to be archived, in its markup, and `respect_noarchive` is on",
        answer(page(head='<meta name="robots" content="noarchive">').encode()),
        Outcome.BLOCKED_ROBOTS,
        "noarchive",
        respecting=True,
        opt_outs=("noarchive",),
    ),
    page_case(
        "noarchive for another",
        "asks another robot not to archive it",
        answer(PAGE, "X-Robots-Tag: otherbot: noarchive"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
    ),
    page_case(
        "opt-out from mining",
        "sends `TDM-Reservation: 1`",
        answer(PAGE, "TDM-Reservation: 1"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
        opt_outs=("tdm-reservation",),
    ),
    page_case(
        "opt-out from training by header",
        "sends `X-Robots-Tag: noai`",
        answer(PAGE, "X-Robots-Tag: noai"),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
        opt_outs=("noai",),
    ),
    page_case(
        "opt-out from training by markup",
        "asks in its markup not to be trained on",
        answer(page(head='<meta name="robots" content="noimageai, noai">').encode()),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        later=False,
        opt_outs=("noai", "noimageai"),
    ),
    page_case(
        "opt-out from training by robots.txt",
        "sends `Content-Usage: train-ai=n` in robots.txt",
        answer(PAGE),
        Outcome.CREATED,
        None,
        Kept.ARTICLE,
        answers={"/robots.txt": answer(b"User-agent: *\nContent-Usage: train-ai=n\nAllow: /\n")},
        later=False,
        opt_outs=("train-ai=n",),
    ),
    page_case(
        "opt-out of a page that may not be kept",
        "sends `X-Robots-Tag: noarchive, noai`, and `respect_noarchive` is on",
        answer(PAGE, "X-Robots-Tag: noarchive, noai"),
        Outcome.BLOCKED_ROBOTS,
        "noarchive",
        respecting=True,
        opt_outs=("noai", "noarchive"),
    ),
]


def _second(
    name: str, does: str, first: Script, second: Script, outcome: Outcome, reason: str | None, **more: Any
) -> Case:
    return page_case(name, does, second, outcome, reason, Kept.ARTICLE, before={"/page": first}, later=False, **more)


_TAGGED = answer(PAGE, 'ETag: "lamp"')
_EDITED = (*PARAGRAPHS, "The harbour office has since changed its mind about the lamp.")
SECOND_LOOKS = [
    _second("the same bytes", "sends the same page again", answer(PAGE), answer(PAGE), Outcome.UNCHANGED, "same_bytes"),
    _second(
        "304",
        "answers a conditional request with 304",
        _TAGGED,
        head('ETag: "lamp"', "Connection: close", status="304 Not Modified"),
        Outcome.NOT_MODIFIED,
        None,
    ),
    _second(
        "another image",
        "changes what makes no version",
        answer(PAGE),
        answer(page(head='<meta property="og:image" content="https://example.org/new.jpg">').encode()),
        Outcome.COSMETIC,
        None,
    ),
    _second(
        "other markup",
        "wraps the same text anew",
        answer(PAGE),
        answer(PAGE.replace(b"<p>", b'<p class="text">')),
        Outcome.UNCHANGED,
        None,
    ),
    _second(
        "an edit",
        "corrects a sentence",
        answer(PAGE),
        answer(page(_EDITED).encode()),
        Outcome.UPDATED,
        None,
        versions=2,
        paragraphs=_EDITED,
    ),
    _second(
        "a cut page",
        "cuts the page off within the text",
        answer(PAGE),
        answer(PAGE)[:-300],
        Outcome.NETWORK_ERROR,
        "short_body",
    ),
]
