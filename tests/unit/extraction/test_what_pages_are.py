"""Pages of many kinds, each an article or none: what reads like a wall, a section or an error page, and what is one."""

import pytest

from tests.unit.extraction.pages import read

NAV = (
    "<nav><ul>"
    + "".join(f"<li><a href='/{name}'>{name}</a></li>" for name in ("News", "Sport", "Town"))
    + "</ul></nav>"
)
CARDS = "<section><h2>More</h2>" + "".join(
    f"<div><h3><a href='/town/2023/other-{n}'>The town gets another thing, its number {n}, before the winter</a></h3>"
    f"<p>What thing number {n} costs, who will pay for it, and why the baker laughs at it.</p></div>"
    for n in range(12)
) + "</section>"  # fmt: skip
RECAPTCHA = "<script src='https://www.google.com/recaptcha/api.js'></script>"
DATED = "<meta property='article:published_time' content='2023-05-01T10:00:00Z'>"
OG = "<meta property='og:type' content='article'>"


def ld(title: str, more: str = "") -> str:
    return (
        '<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle",'
        f'"headline":"{title}","datePublished":"2023-05-01T10:00:00Z"{more}}}</script>'
    )


def shown(title: str, *texts: str, head: str = "", below: str = "", above: str = "") -> str:
    said = "".join(f"<p>{text}</p>" for text in texts)
    return (
        f"<html lang='en'><head><meta charset='utf-8'><title>{title} | The Courier</title>{head}</head>"
        f"<body>{NAV}{above}<main><article><h1>{title}</h1>{said}</article>{below}</main>"
        "<footer><a href='/privacy'>Privacy policy</a> <a href='/cookies'>Cookie settings</a></footer></body></html>"
    )


PAINTING = tuple(
    f"The museum said on day {n} that the canvas had lain in a cellar and bore the stamp of a dealer from Ghent."
    for n in range(6)
)
COOKIE_LAW = (
    "Parliament passed a law on cookies that will come into force some time next year, after three readings.",
    "The ministry had asked for consent rules at the same time as its neighbours, and it won by nine votes.",
    "Regulators will fine firms whose cookies outlive the sitting of a home computer.",
)
ARTICLES = {
    "x-ray id": shown("X-ray identifies lost painting", *PAINTING, below=RECAPTCHA),
    "unblock": shown("Troops unblock the coastal road", *PAINTING, below=RECAPTCHA),
    "third person on cookies": shown("Cookie law passes", *COOKIE_LAW, below="<button>Accept</button>"),
    "third person on cookies, dated": shown(
        "Cookie law passes", *COOKIE_LAW, below="<button>Accept</button>", head=ld("Cookie law passes")
    ),
    "a vote below": shown("Cookie law passes", *COOKIE_LAW, below="<button>Disagree</button>"),
}


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article(name):
    reading = read(ARTICLES[name], url="https://courier.example/town/2023/what-happened-in-town-4711")
    assert reading.article is not None, reading
