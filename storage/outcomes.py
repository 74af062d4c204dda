"""What becomes of a fetch: the closed list of outcomes, and for each one row that says all that follows from it.

Every set of outcomes in the code is taken from these rows, and so is the table of the manual. Only the standard library
is imported here.
"""

from dataclasses import dataclass
from enum import Flag, StrEnum, auto


class Outcome(StrEnum):
    """What became of one fetch; the list is closed."""

    # The page showed an article, and the history was asked what that means.
    CREATED = "created"
    UPDATED = "updated"
    REVERTED = "reverted"
    COSMETIC = "cosmetic"
    UNCHANGED = "unchanged"
    NOT_MODIFIED = "not_modified"
    SUSPECT = "suspect"
    # The address no longer answers for the article.
    MISSING = "missing"
    GONE = "gone"
    REDIRECTED = "redirected"
    # 200, but not this article's text.
    NOT_ARTICLE = "not_article"
    PAYWALLED = "paywalled"
    CONSENT_WALL = "consent_wall"
    LOGIN_WALL = "login_wall"
    BOT_CHECK = "bot_check"
    SOFT_404 = "soft_404"
    MAINTENANCE = "maintenance"
    SCRIPT_SHELL = "script_shell"
    WRONG_LANGUAGE = "wrong_language"
    # We may not.
    BLOCKED_ROBOTS = "blocked_robots"
    BLOCKED_ADDRESS = "blocked_address"
    BLOCKED_STATUS = "blocked_status"
    RATE_LIMITED = "rate_limited"
    # It did not work; a reason code says more.
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    TIMEOUT = "timeout"
    NETWORK_ERROR = "network_error"
    HTTP_ERROR = "http_error"
    EXTRACT_FAILED = "extract_failed"
    # An index of links or a robots.txt was read.
    LISTED = "listed"


class Family(StrEnum):
    """What outcomes of pages have in common for an operator; each may become a warning."""

    FORBIDDEN = "forbidden"
    """robots.txt forbids it."""
    REFUSED = "refused"
    """The server refuses, or wants a proof that a person reads."""
    WALLED = "walled"
    """A wall stands where the text should: for consent, a login, payment or a script."""
    UNREAD = "unread"
    """There is no article, or none that can be read."""
    UNREACHABLE = "unreachable"
    """It is missing, or no answer came."""
    SUSPECT = "suspect"
    """It shows another text than the one that is held."""


class Trait(Flag):
    """What an outcome says, each of which some part of the program goes by."""

    LOOK = auto()
    """It tells what state the page was in, and so counts as a look at it."""
    SHOWS_ARTICLE = auto()
    """The article stood there in a state that we hold."""
    GIVES_VALIDATORS = auto()
    """The next request may be conditional; after any other it is not."""
    ADDRESS_ANSWERS = auto()
    """The address still answers with a page of its own."""
    READ = LOOK | SHOWS_ARTICLE | GIVES_VALIDATORS | ADDRESS_ANSWERS
    """All of these: an article was read."""
    WRITES_VERSION = auto()
    """It wrote a version, or went back to one."""
    OTHER_TEXT = auto()
    """The look found another text than the last one."""
    ADDRESS_LOST = auto()
    """The address answers no longer."""
    LASTS = auto()
    """No article is expected at the address any more; after any other it is asked again."""
    EVIDENCE = auto()
    """A small body is kept, though it shows no article."""
    WALL = auto()
    """The body of a refusal may show it, which says why it was refused."""
    REFUSAL = auto()
    """An HTTP status by which a server refuses."""
    UNREACHABLE = auto()
    """The host could not be reached, or must not be."""
    OF_HOST = auto()
    """It tells of a host rather than of a page."""
    PASSES = auto()
    """A failure of a server that mostly passes, rather than a refusal or another page."""
    POLLED_WELL = auto()
    """A feed, sitemap or section answered as one."""
    NO_SUCH_PART = auto()
    """Of an article's further part: there is none, whatever the link to it promised."""
    PART_REFUSED = auto()
    """Of an article's further part: it may be kept from us for good."""


@dataclass(frozen=True, kw_only=True)
class OutcomeRow:
    """What follows from an outcome.

    `kept` says whether its capture is kept, and `meaning` what it is, as the manual writes it.
    """

    outcome: Outcome
    family: Family | None
    traits: Trait
    kept: str
    meaning: str


OUTCOMES: tuple[OutcomeRow, ...] = (
    OutcomeRow(
        outcome=Outcome.CREATED,
        family=None,
        traits=Trait.READ | Trait.WRITES_VERSION | Trait.OTHER_TEXT,
        kept="yes",
        meaning="An article was seen for the first time.",
    ),
    OutcomeRow(
        outcome=Outcome.UPDATED,
        family=None,
        traits=Trait.READ | Trait.WRITES_VERSION | Trait.OTHER_TEXT,
        kept="yes",
        meaning="A new version.",
    ),
    OutcomeRow(
        outcome=Outcome.REVERTED,
        family=None,
        traits=Trait.READ | Trait.WRITES_VERSION | Trait.OTHER_TEXT,
        kept="yes; no with `flapping`",
        meaning="An earlier state came back; with the reason `flapping` it made no version.",
    ),
    OutcomeRow(
        outcome=Outcome.COSMETIC,
        family=None,
        traits=Trait.READ,
        kept='with `keep = "all"`, or with a reason other than `rotating`',
        meaning=(
            "Only what makes no version changed, or, as the reason says, more did, and no version came of "
            "it: `awaits_second_look`, `rotating` (something else at every look; the next request is not "
            "conditional), `late` (recorded after a later look), `new_baseline` (the old capture cannot be "
            "read by this extractor)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.UNCHANGED,
        family=None,
        traits=Trait.READ | Trait.POLLED_WELL,
        kept="no; the row names the capture seen again",
        meaning="The same text or the same bytes; with the reason `restored`, of an article that was gone.",
    ),
    OutcomeRow(
        outcome=Outcome.NOT_MODIFIED,
        family=None,
        traits=Trait.READ | Trait.POLLED_WELL,
        kept="no; the row names the capture seen again",
        meaning="The server answered 304.",
    ),
    OutcomeRow(
        outcome=Outcome.SUSPECT,
        family=Family.SUSPECT,
        traits=Trait.GIVES_VALIDATORS | Trait.OTHER_TEXT | Trait.ADDRESS_ANSWERS,
        kept="yes; no if it is the same text again",
        meaning=(
            "It reads as another text, and waits for more looks: `other_text`, `cut` (more than half is "
            "gone), `same_text_elsewhere`, `another_article`."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.MISSING,
        family=Family.UNREACHABLE,
        traits=Trait.ADDRESS_LOST | Trait.LASTS | Trait.EVIDENCE | Trait.NO_SUCH_PART,
        kept="under 64 KB",
        meaning=(
            "404, 410, or an article's address that now leads to a section or the home page; `many_gone` "
            "says that many others are missing too."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.GONE,
        family=None,
        traits=Trait.LOOK | Trait.ADDRESS_LOST | Trait.LASTS | Trait.NO_SUCH_PART,
        kept="under 64 KB",
        meaning="A confirmed removal.",
    ),
    OutcomeRow(
        outcome=Outcome.REDIRECTED,
        family=None,
        traits=Trait.LASTS,
        kept="no",
        meaning=(
            "The next hop is a row of its own; or the page is another address of an article and is not "
            "judged: `alias`, `amp`, `mobile`, `print`, `part`, `canonical`."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.NOT_ARTICLE,
        family=Family.UNREAD,
        traits=Trait.LOOK | Trait.GIVES_VALIDATORS | Trait.ADDRESS_ANSWERS | Trait.LASTS | Trait.NO_SUCH_PART,
        kept="no",
        meaning=(
            "Something else, as the reason says: `home_page`, `section`, `tag`, `author`, `search`, "
            "`live_index`, `index`, `contact`, `video`, `audio`, `gallery`, `feed`, `sitemap`, `xml`, "
            "`plain_text`, `no_story` (text, but none of a story), `empty`."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.PAYWALLED,
        family=Family.WALLED,
        traits=Trait.ADDRESS_ANSWERS,
        kept="under 64 KB",
        meaning="Only a part of an article of which a fuller text is held (`fuller_text_held`).",
    ),
    OutcomeRow(
        outcome=Outcome.CONSENT_WALL,
        family=Family.WALLED,
        traits=Trait.LASTS | Trait.EVIDENCE | Trait.WALL | Trait.OF_HOST | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "200, but the page only asks for consent to cookies or the like (`asks_for_consent`), for the "
            "reader's age (`asks_for_age`), or to switch off an ad blocker (`ad_blocker`)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.LOGIN_WALL,
        family=Family.WALLED,
        traits=Trait.LASTS | Trait.EVIDENCE | Trait.WALL | Trait.OF_HOST | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "200, but the page only asks to log in (`login_form`), or to log in and read on behind a teaser "
            "that no markup calls a part (`login_to_read_on`), or says that the text is for subscribers and "
            "shows none of it (`subscribers_only`)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.BOT_CHECK,
        family=Family.REFUSED,
        traits=Trait.EVIDENCE | Trait.WALL | Trait.OF_HOST | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "200, but the page wants a proof that a person reads it: `asks_if_human`, or `challenge` by its build."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.SOFT_404,
        family=Family.UNREAD,
        traits=Trait.LASTS | Trait.EVIDENCE | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "200, but the page says that nothing is there (`not_found_page`), or nothing for readers from "
            "here (`not_in_region`)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.MAINTENANCE,
        family=Family.UNREAD,
        traits=Trait.EVIDENCE | Trait.WALL | Trait.OF_HOST | Trait.PASSES,
        kept="under 64 KB",
        meaning=(
            "200, but the page says that the site is being worked on (`maintenance_notice`) or that it "
            "failed (`server_error`)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.SCRIPT_SHELL,
        family=Family.WALLED,
        traits=Trait.LASTS | Trait.EVIDENCE | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "200, but without scripts there is no text: `no_text_without_scripts`, `asks_for_scripts`, "
            "`redirects_by_script`."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.WRONG_LANGUAGE,
        family=Family.UNREAD,
        traits=Trait.OTHER_TEXT | Trait.ADDRESS_ANSWERS,
        kept="yes; no if it is the same text again",
        meaning="Another text in another language (`other_language`).",
    ),
    OutcomeRow(
        outcome=Outcome.BLOCKED_ROBOTS,
        family=Family.FORBIDDEN,
        traits=Trait.PART_REFUSED,
        kept="no",
        meaning=(
            "robots.txt forbids it, or it answered with an error, and then nothing is asked for "
            "(`robots_unreachable`), or made its reader fail (`robots_unreadable`); or, with "
            "`respect_noarchive`, the page itself says `noarchive`."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.BLOCKED_ADDRESS,
        family=None,
        traits=Trait.UNREACHABLE | Trait.PART_REFUSED,
        kept="no",
        meaning="The address is internal.",
    ),
    OutcomeRow(
        outcome=Outcome.BLOCKED_STATUS,
        family=Family.REFUSED,
        traits=Trait.EVIDENCE | Trait.REFUSAL | Trait.OF_HOST | Trait.PART_REFUSED,
        kept="under 64 KB",
        meaning=(
            "401, 403 or 451; the reason is `bot_check`, `login_wall`, `consent_wall` or `maintenance` where"
            " the body says so."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.RATE_LIMITED,
        family=Family.REFUSED,
        traits=Trait.EVIDENCE | Trait.REFUSAL | Trait.OF_HOST | Trait.PASSES,
        kept="under 64 KB",
        meaning=(
            "429 or 503, with reasons as `blocked_status`; or the host asked to be left alone and was not "
            "asked; or a redirect was not followed before the process ended (`stopped`)."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.TOO_LARGE,
        family=Family.UNREAD,
        traits=Trait.LASTS | Trait.PART_REFUSED,
        kept="no",
        meaning="The body is larger than `max_bytes`, as sent or decoded.",
    ),
    OutcomeRow(
        outcome=Outcome.WRONG_TYPE,
        family=Family.UNREAD,
        traits=Trait.LASTS | Trait.NO_SUCH_PART,
        kept="no",
        meaning="A PDF, an image or something else that is no page; of a feed: no feed.",
    ),
    OutcomeRow(
        outcome=Outcome.TIMEOUT,
        family=Family.UNREACHABLE,
        traits=Trait.UNREACHABLE | Trait.OF_HOST | Trait.PASSES,
        kept="no",
        meaning="No whole response in time; `deadline` where our own limits failed to end it.",
    ),
    OutcomeRow(
        outcome=Outcome.NETWORK_ERROR,
        family=Family.UNREACHABLE,
        traits=Trait.UNREACHABLE | Trait.OF_HOST | Trait.PASSES,
        kept="no",
        meaning=(
            "No response, or a broken one; the reason says more: `dns`, `refused`, `reset`, `tls`, "
            "`tls_certificate`, `short_body` …"
        ),
    ),
    OutcomeRow(
        outcome=Outcome.HTTP_ERROR,
        family=Family.UNREACHABLE,
        traits=Trait.OF_HOST | Trait.PASSES,
        kept="no",
        meaning="Any other status, or a redirect that leads nowhere (`redirect_loop`, `too_many_redirects` …).",
    ),
    OutcomeRow(
        outcome=Outcome.EXTRACT_FAILED,
        family=Family.UNREAD,
        traits=Trait.OF_HOST,
        kept="a page's, if it can be decoded",
        meaning=(
            "A page, feed, sitemap, section or robots.txt that could not be read: it took too long "
            "(`timeout`) or ended the process that read it (`crash`), twice, took too much memory "
            "(`memory`), or the exception that it made."
        ),
    ),
    OutcomeRow(
        outcome=Outcome.LISTED,
        family=None,
        traits=Trait.POLLED_WELL,
        kept="no",
        meaning="A feed, sitemap, section or robots.txt was read; or a page only tried, by `sources check`.",
    ),
)
"""One row for each outcome."""


def with_trait(trait: Trait) -> frozenset[Outcome]:
    """Return the outcomes that have a trait."""
    return frozenset(row.outcome for row in OUTCOMES if trait in row.traits)


def of_family(family: Family) -> frozenset[Outcome]:
    """Return the outcomes of a family."""
    return frozenset(row.outcome for row in OUTCOMES if row.family is family)


LOOKS = with_trait(Trait.LOOK)
ARTICLE_SEEN = with_trait(Trait.SHOWS_ARTICLE)
KEEPS_VALIDATORS = with_trait(Trait.GIVES_VALIDATORS)
MAKES_VERSION = with_trait(Trait.WRITES_VERSION)
POLLED_WELL = with_trait(Trait.POLLED_WELL)
