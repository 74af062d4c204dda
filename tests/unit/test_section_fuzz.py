"""Sections and addresses at random: whatever comes, reading ends with a value, and every link is accounted for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.index_page import IndexPage, read_index_page
from crawler.discovery.page_links import sort_links
from crawler.discovery.url_shapes import UrlShapes
from crawler.urls import InvalidUrl, clean_url, url_key

URL = "https://www.tidings.example/news/?page=2"
SETTINGS = settings(max_examples=300, derandomize=True, deadline=None)

STEPS = st.one_of(
    st.sampled_from(
        ["news", "video", "tag", "2024", "05", "3", "page", "p", "index.html", "a-long-slug-of-words", "41234567", ""]
    ),
    st.text(max_size=12),
)
PATHS = st.lists(STEPS, max_size=6).map(lambda steps: "/" + "/".join(steps))
QUERIES = st.dictionaries(
    st.sampled_from(["page", "id", "p", "q", "month", "sort", "x"]), st.text(max_size=6), max_size=3
)
HREFS = st.one_of(
    st.builds(lambda path, query: path + "?" + "&".join(f"{k}={v}" for k, v in query.items()), PATHS, QUERIES),
    st.sampled_from(
        ["", "#", "//", "http://[", "http://a..b/", "//other.example/x", "mailto:a", "http://1.2.3.4.5/", "?"]
    ),
    st.text(max_size=30),
)
PIECES = st.sampled_from(
    [
        *(
            "<nav>",
            "</nav>",
            "<article>",
            "</article>",
            "<h2>",
            "</h2>",
            "<time>x</time>",
            "</div>",
            "<div class='menu'>",
        ),
        *(
            "<header>",
            "<footer>",
            "<base href='/x/'>",
            "<base href='::'>",
            "<meta name=robots content=nofollow>",
            "<!--",
        ),
        *(
            "<link rel=next href='?page=3'>",
            "<link rel=alternate type='application/rss+xml' href='/feed'>",
            "\0",
            "<svg>",
        ),
    ]
)
ANCHORS = st.builds(lambda href, text: f"<a href='{href}'>{text}</a>", HREFS, st.text(max_size=20))
PAGES = st.lists(st.one_of(PIECES, ANCHORS, st.text(max_size=10)), max_size=25).map("".join)


def check(page: IndexPage) -> None:
    """Sort the links of a page and see that each is somewhere once."""
    links = sort_links(page, url=URL, shapes=UrlShapes.learn([URL]), publisher_domains=frozenset())
    kept = [url_key(found.url) for found in (*links.articles, *links.sections, *links.next_pages)]
    assert len(kept) == len(set(kept))
    left_out = sum(links.left_out.values()) - sum(page.left_out.values())
    # A next page may be named by the head alone.
    assert len(page.links) <= len(kept) + left_out <= len(page.links) + len(page.next_urls)
    assert all(clean_url(found.url) == found.url for found in (*page.links, *page.feeds))


@SETTINGS
@given(st.binary(max_size=300))
def test_bytes(body: bytes) -> None:
    check(read_index_page(body, url=URL, content_type="text/html"))


@SETTINGS
@given(PAGES, st.sampled_from(["utf-8", "utf-16", "cp1251", "ascii"]))
def test_pages(html: str, encoding: str) -> None:
    check(
        read_index_page(html.encode(encoding, errors="replace"), url=URL, content_type=f"text/html; charset={encoding}")
    )


@SETTINGS
@given(st.lists(HREFS, max_size=12), st.lists(HREFS, max_size=6), HREFS)
def test_addresses(articles: list[str], others: list[str], asked: str) -> None:
    def clean(hrefs: list[str]) -> list[str]:
        found = []
        for href in hrefs:
            try:
                found.append(clean_url(f"https://tidings.example{href}"))
            except InvalidUrl:
                continue
        return found

    shapes = UrlShapes.learn(clean(articles), clean(others))
    for url in clean([asked, *articles]):
        judged = shapes.judge(url)
        assert -6 <= judged.score <= 6
        assert judged.reason
    assert shapes.judge(asked).reason
