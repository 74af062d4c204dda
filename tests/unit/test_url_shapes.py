"""What addresses of articles look like: by habit, and as each publisher's own addresses teach."""

import pytest

from crawler.discovery.url_shapes import UrlShapes
from crawler.discovery.url_words import LinkKind

HOST = "https://www.tidings.example"
NOTHING = UrlShapes.learn([])


def kinds(shapes: UrlShapes, *paths: str) -> set[LinkKind]:
    return {shapes.judge(HOST + path).kind for path in paths}


STYLES = {
    "dated": "/{section}/2024/05/{n:02}/harbour-board-votes-for-night-ferry-{n}/",
    "slug only": "/harbour-board-votes-for-night-ferry-number-{n}",
    "number in a parameter": "/story.php?id={n}123",
    "number in a path": "/a/41{n}56",
    "date and slug without section": "/2024/05/{n:02}/ferry-returns-{n}",
    "slug and number": "/{section}/night-ferry-returns-41{n}77.html",
    "short slug and number": "/{section}/ferry-41{n}77",
    "number before slug": "/news/41{n}77/the-ferry-is-back",
    "cyrillic": "/news/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC-%D0%B2%D0%B5%D1%80%D0%BD%D1%83%D0%BB%D1%81%D1%8F-{n}",
    "letters and figures": "/{section}/night-ferry-lux.Kq{n}XZbTqpLm4vW",
    "opaque id": "/{section}/ferry-returns/s/5f{n}a9c1e-77aa-4b1c-9d2e-aa00bb11cc22",
    "amp style id": "/{section}/id4100{n}77",
    "month by name": "/2024/may/{n:02}/ferry-is-back",
    "date in one step": "/{section}/20240503-ferry-is-back-{n}",
}
SECTIONS = ("politics", "sport", "culture", "business")


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_few_articles_teach_the_rest(style: str) -> None:
    known = [HOST + style.format(section=SECTIONS[n % 4], n=n) for n in range(10, 22)]
    new = [style.format(section="science", n=n) for n in range(22, 29)]
    assert kinds(UrlShapes.learn(known), *new) == {LinkKind.ARTICLE}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_what_is_no_article_stays_none_whatever_the_articles_look_like(style: str) -> None:
    shapes = UrlShapes.learn(HOST + style.format(section=SECTIONS[n % 4], n=n) for n in range(10, 30))
    others = {
        "/": LinkKind.SECTION,
        "/politics/": LinkKind.SECTION,
        "/weather": LinkKind.SECTION,
        "/politics/page/7/": LinkKind.SECTION,
        "/politics?page=2": LinkKind.SECTION,
        "/tag/ferry": LinkKind.TAG,
        "/author/agnes-thorvald": LinkKind.AUTHOR,
        "/search?q=ferry": LinkKind.SEARCH,
        "/datenschutz": LinkKind.OTHER_PAGE,
        "/newsletter/": LinkKind.OTHER_PAGE,
        "/archive/2024/05/03/": LinkKind.OTHER_PAGE,
    }
    assert {path: shapes.judge(HOST + path).kind for path in others} == others


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/2024/05/03/night-ferry-returns-after-eleven-years", LinkKind.ARTICLE),
        ("/politics/night-ferry-returns-after-eleven-years-4123456.html", LinkKind.ARTICLE),
        ("/story.php?id=41234", LinkKind.ARTICLE),
        ("/article/7731904", LinkKind.ARTICLE),
        ("/?p=41234", LinkKind.ARTICLE),
        ("/?p=412", LinkKind.ARTICLE),
        ("/news/?p=4", LinkKind.SECTION),
        ("/story.php?id=41234&from=7", LinkKind.ARTICLE),
        ("/%D1%82%D0%B5%D0%B3/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC", LinkKind.TAG),
        ("/schlagwort/faehre", LinkKind.TAG),
        ("/autor/agnes-thorvald", LinkKind.AUTHOR),
        ("/video/ferry-returns", LinkKind.VIDEO),
        ("/bildergalerie/die-faehre", LinkKind.GALLERY),
        ("/podcasts/", LinkKind.AUDIO),
        ("/buscar", LinkKind.SEARCH),
        ("/mentions-legales", LinkKind.OTHER_PAGE),
        ("/cookie-notice", LinkKind.OTHER_PAGE),
        ("/sport/", LinkKind.SECTION),
        ("/index.html", LinkKind.SECTION),
        ("/legal/", LinkKind.OTHER_PAGE),
        ("/legal/court-lets-the-night-ferry-sail-again-2024-03-04/", LinkKind.ARTICLE),
        ("/ferry-returns-today", LinkKind.UNKNOWN),
    ],
)
def test_habits_of_the_web_judge_where_nothing_was_learnt(path: str, kind: LinkKind) -> None:
    assert NOTHING.judge(HOST + path).kind is kind


def test_labels_before_the_domain_announce_kinds_too() -> None:
    assert NOTHING.judge("https://video.tidings.example/ferry-returns").kind is LinkKind.VIDEO
    assert NOTHING.judge("https://shop.tidings.example/a-mug-with-a-ferry-on-it").kind is not LinkKind.ARTICLE


def test_a_publisher_whose_articles_stand_below_video_is_believed() -> None:
    path = "/video/{}-the-ferry-that-came-back-{}"
    shapes = UrlShapes.learn(HOST + path.format(n, n * 7) for n in range(1, 6))
    assert kinds(shapes, path.format(77, 539)) == {LinkKind.ARTICLE}
    assert kinds(NOTHING, path.format(77, 539)) != {LinkKind.ARTICLE}


def test_a_few_videos_in_a_large_feed_do_not_make_videos_articles() -> None:
    articles = [f"{HOST}/politics/ferry-returns-for-the-night-{4_000_000 + n}.html" for n in range(500)]
    videos = [f"{HOST}/video/ferry-returns-for-the-night-{5_000_000 + n}.html" for n in range(3)]
    shapes = UrlShapes.learn([*articles, *videos])
    assert kinds(shapes, "/video/the-mayor-speaks-to-the-town-5100000.html") == {LinkKind.VIDEO}


def test_pages_that_were_read_as_none_teach_what_no_word_tells() -> None:
    articles = [f"{HOST}/politics/ferry-returns-for-the-night-{4_000_000 + n}.html" for n in range(200)]
    moving = [f"{HOST}/moving/ferry-returns-for-the-night-{5_000_000 + n}.html" for n in range(20)]
    new = "/moving/the-mayor-speaks-to-the-town-5100000.html"
    assert kinds(UrlShapes.learn(articles), new) == {LinkKind.ARTICLE}
    assert LinkKind.ARTICLE not in kinds(UrlShapes.learn(articles, moving), new)
    assert kinds(UrlShapes.learn(articles, moving), "/sport/a-cup-for-the-rowers-4100000.html") == {LinkKind.ARTICLE}


def test_the_path_above_articles_is_a_section_even_if_its_name_is_long() -> None:
    section = "/local-news-of-the-islands"
    assert NOTHING.judge(HOST + section).kind is LinkKind.ARTICLE
    shapes = UrlShapes.learn(f"{HOST}/the-islands/harbour/2024/05/03/ferry-{n}-returns" for n in range(5))
    judged = shapes.judge(HOST + "/the-islands/harbour/")
    assert (judged.kind, judged.reason) == (LinkKind.SECTION, "above_its_articles")
    assert shapes.judge(HOST + "/the-islands/").reason == "above_its_articles"


def test_it_says_unknown_where_a_shape_was_never_seen() -> None:
    shapes = UrlShapes.learn(f"{HOST}/politics/ferry-{4_000_000 + n}.html" for n in range(500))
    assert shapes.judge(HOST + "/the-ferry-is-back").kind is LinkKind.UNKNOWN
    assert NOTHING.judge(HOST + "/the-ferry-is-back").kind is LinkKind.ARTICLE


def test_articles_of_two_styles_are_both_known() -> None:
    old = [f"{HOST}/story.php?id={n}" for n in range(10_000, 10_050)]
    new = [f"{HOST}/politics/ferry-returns-for-the-night-{4_000_000 + n}.html" for n in range(50)]
    shapes = UrlShapes.learn(old + new)
    assert kinds(shapes, "/story.php?id=10999", "/sport/cup-for-the-rowers-4999999.html") == {LinkKind.ARTICLE}


def test_house_pages_in_the_shape_of_articles_are_none() -> None:
    shapes = UrlShapes.learn(f"{HOST}/news/ferry-returns-at-night-{7_000_000 + n}.html" for n in range(5))
    assert kinds(shapes, "/service/privacy-policy-7000100.html") == {LinkKind.OTHER_PAGE}
    assert kinds(shapes, "/news/harbour-in-winter-7000101.html") == {LinkKind.ARTICLE}


def test_where_the_reader_came_from_does_not_matter() -> None:
    shapes = UrlShapes.learn(f"{HOST}/article/{370_000 + n}" for n in range(30))
    assert kinds(shapes, "/article/379999?rct=national") == {LinkKind.ARTICLE}
    assert NOTHING.judge(f"{HOST}/?cid=ZWxwYWlzX2hvbWVfY29sZWNjMjJfZWRpdG9yaWFs").kind is not LinkKind.ARTICLE


def test_a_subdomain_of_its_own_is_told_from_the_rest() -> None:
    articles = [f"{HOST}/politics/ferry-returns-{4_000_000 + n}.html" for n in range(100)]
    listings = [f"https://market.tidings.example/boats/ferry-for-sale-{4_000_000 + n}.html" for n in range(30)]
    shapes = UrlShapes.learn(articles, listings)
    assert shapes.judge("https://market.tidings.example/boats/rowing-boat-for-sale-4100000.html").kind is not (
        LinkKind.ARTICLE
    )
    assert kinds(shapes, "/politics/a-boat-for-the-mayor-4100000.html") == {LinkKind.ARTICLE}


@pytest.mark.parametrize("url", ["", "http://[", "https://tidings.example", "https://tidings.example/" + "a/" * 900])
def test_odd_addresses_do_no_harm(url: str) -> None:
    shapes = UrlShapes.learn([url, *(f"{HOST}/a/{n}" for n in range(100_000, 100_010))], [url])
    assert shapes.judge(url).kind is not LinkKind.ARTICLE


def test_it_learns_from_many_addresses() -> None:
    words = ("ferry", "harbour", "mayor", "school", "winter", "council", "market", "theatre")
    urls = [
        f"{HOST}/{words[n % 8]}/2024/{n % 12 + 1:02}/{n % 28 + 1:02}/{words[n % 7]}-{words[n % 5]}-returns-for-{n}/"
        for n in range(50_000)
    ]
    shapes = UrlShapes.learn(urls[:40_000])
    assert {shapes.judge(url).kind for url in urls[40_000:]} == {LinkKind.ARTICLE}
