"""What the compared form of a text forgives, and what it keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.fingerprint import author_set, content_digest, normalise
from storage.model import ExtractedArticle


def article(**fields):
    return ExtractedArticle(**{"headline": "Ferry late", "body": "The ferry was late.", "extractor": "x1"} | fields)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The ferry\u00a0was  late", "The ferry was late"),
        ("First paragraph.\n\nSecond one.", "First paragraph. Second one."),
        ("“We are late,” she said", '"We are late," she said'),
        ("‘We are late,’ she said", '"We are late," she said'),
        ("« Nous sommes en retard »", "“Nous sommes en retard”"),
        ("»Wir sind spät« und »müde«", '"Wir sind spät" und "müde"'),
        ("Quoi ?", "Quoi?"),
        ("it’s", "it's"),
        ("the ferry — late again — sank", "the ferry—late again--sank"),
        ("1939–45", "1939-45"),
        ("well\u00adknown", "wellknown"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u200fשלום\u200e", "שלום"),
        ("heart ❤\ufe0f", "heart ❤"),
        ("wait…", "wait..."),
        ("ﬁre", "fire"),
        ("cafe\u0301", "café"),
        ("２０２６年", "2026年"),
        ("  Ferry late\n", "Ferry late"),
    ],
)
def test_typography_is_no_edit(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("US ferry late", "us ferry late"),
        ("105 people", "10⁵ people"),
        ("1½ hours", "11/2 hours"),
        ("the ferry was late", "the ferry was late."),
        ("now here", "nowhere"),
        ("resume", "résumé"),
        ("12 dead", "13 dead"),
        ("the boys' ferry", "the boys ferry"),
        ("co-op", "coop"),
        ("is late!", "is late?"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴"),
    ],
)
def test_what_a_newsroom_would_call_an_edit_is_kept(one, other):
    assert normalise(one) != normalise(other)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert normalise(normalise(text)) == normalise(text)


def test_authors_are_a_set_of_names():
    assert author_set(["Ada  Byron", "Ben O’Dea", ""]) == author_set(["Ben O'Dea", "Ada Byron", "Ada Byron"])


def test_the_digest_ignores_typography_times_and_the_order_of_authors():
    one = article(body="“Late,”\n\nshe said.", authors=("Ada", "Ben"), standfirst=None)
    other = article(body='"Late," she said.', authors=("Ben", "Ada"), standfirst="", section="Sea")
    assert content_digest(one) == content_digest(other)


@pytest.mark.parametrize(
    "other",
    [
        {"headline": "Ferry Late"},
        {"standfirst": "Again"},
        {"body": "The ferry was early."},
        {"authors": ("Ada",)},
        {"headline": "", "standfirst": "Ferry late"},  # the same words in another field
        {"headline": "Ferry lateThe ferry was late.", "body": ""},
    ],
)
def test_the_digest_tells_texts_and_fields_apart(other):
    assert content_digest(article()) != content_digest(article(**other))


def test_names_of_authors_do_not_run_into_each_other():
    assert content_digest(article(authors=("Ada, Ben",))) != content_digest(article(authors=("Ada", "Ben")))


def test_the_digest_is_the_same_in_every_release():
    """Digests stand in databases for years: this value may change only together with SCHEME."""
    digest = content_digest(article(authors=("Ada",)))
    assert digest == "1:b1961bcb0d2364231b65a79665fdb353395b86cafd0f5e53a0936c38a228e37d"


def test_a_lone_surrogate_has_a_digest():
    assert content_digest(article(body="broken \ud800 text")).startswith("1:")


def test_marks_upon_a_letter_are_bounded_and_those_of_any_language_kept():
    many = "a" + "\u0301\u0323" * 10_000
    assert normalise(many) == normalise(normalise(many))
    assert len(normalise(many)) <= 31
    for text in ("Việt Nam, tiếng Việt", "שָׁלוֹם", "นี้ที่ผู้", "ក្រុម", "a\u0323\u0302\u0301\u0308" * 20):
        assert normalise(text * 50).count(normalise(text)[:3]) >= 50


@given(st.text(alphabet='a \u0301\u0323\u0344\u0f73\U0001d165\u302e…"-\u2014', max_size=150))
def test_normalising_twice_changes_nothing_however_many_marks_there_are(text):
    assert normalise(normalise(text)) == normalise(text)
