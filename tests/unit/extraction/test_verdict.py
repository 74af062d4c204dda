"""What is no article, and what is one though it hardly looks like it."""

import pytest

from storage.outcomes import Outcome
from tests.unit.extraction.pages import STORY, page, read

CARDS = "".join(
    f'<div><h3><a href="/city/story-number-{n}">The town gets its new thing number {n}</a></h3></div>'
    for n in range(12)
)


@pytest.mark.parametrize(
    ("html", "outcome"),
    [
        ("", Outcome.NOT_ARTICLE),
        ("<html><body></body></html>", Outcome.NOT_ARTICLE),
        ("<html><head><title>News</title></head><body><div id='app'></div><script src='/a.js'></script></body></html>",
         Outcome.SCRIPT_SHELL),
        ("<html><head><title>404 - Page not found</title></head><body><h1>Page not found</h1>"
         "<p>We could not find what you were looking for. Try the search, or go to our home page.</p></body></html>",
         Outcome.SOFT_404),
        (f"<html><head><title>City</title></head><body><h1>City</h1>{CARDS}</body></html>", Outcome.NOT_ARTICLE),
    ],
)  # fmt: skip
def test_what_is_no_article(html, outcome):
    reading = read(html)
    assert reading.article is None
    assert reading.outcome is outcome
    assert reading.reason


@pytest.mark.parametrize(
    "html",
    [
        f"<html><head><title>Fire out</title></head><body><h1>Fire out</h1><p>{STORY[0]}</p></body></html>",
        f"<p>{STORY[0]}</p>",
        page(below=CARDS),
        page(above="<h1>The man who found 404 letters</h1>"),
        f"<html><body><h1>Live</h1>{''.join(f'<h2>1{n}:00</h2><p>{p}</p>' for n, p in enumerate(STORY))}</body></html>",
    ],
)
def test_what_is_an_article(html):
    article = read(html).article
    assert article is not None
    assert STORY[0] in article.body


def test_a_filter_never_takes_a_whole_body():
    link = "".join(f'<p><a href="/story-number-{n}1234">{paragraph[:-1]}</a></p>' for n, paragraph in enumerate(STORY))
    head = "<meta property='og:type' content='article'><meta property='article:published_time' content='2023-05-01'>"
    html = f"<html><head>{head}</head><body><article><h1>Links of the day</h1>{link}</article></body></html>"
    article = read(html).article
    assert article is not None
    assert STORY[2][:-1] in article.body


def test_a_hidden_page_that_script_would_show_is_read():
    story = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)
    html = f"<html><body style='visibility:hidden'><h1>Bridge</h1><div hidden>{story}</div></body></html>"
    assert read(html).article is not None
