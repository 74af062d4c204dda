"""What makes two URLs one page, and whose host they are."""

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crawler.urls import InvalidUrl, clean_url, feed_entry, host_key, in_scope, joined_url, registrable_domain, url_key


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("HTTP://News.Example.COM", "http://news.example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("http://127.0.0.17:8099/a/b", "http://127.0.0.17:8099/a/b"),
        ("http://[::0001]:8080/a", "http://[::1]:8080/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://example.com/a#comments", "https://example.com/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/../a/..", "https://example.com/"),
        ("https://example.com/a/%2E%2e/b", "https://example.com/b"),
        ("https://example.com/a//b/", "https://example.com/a//b/"),
        ("https://example.com/%7eann/%c3%a4", "https://example.com/~ann/%C3%A4"),
        ("https://example.com/ä b", "https://example.com/%C3%A4%20b"),
        ("https://example.com/100%/a", "https://example.com/100%25/a"),
        ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
        ("https://münchen.example/a", "https://xn--mnchen-3ya.example/a"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://i❤.ws/", "https://xn--i-7iq.ws/"),
        ("  https://example.com/a\n ", "https://example.com/a"),
        ("https://example.com/one\n\ttwo", "https://example.com/onetwo"),
        ("https://example.com\\a\\b?c=\\", "https://example.com/a/b?c=%5C"),
        ("https://example.com/a?utm_source=rss&id=7&fbclid=x&UTM_Medium=y", "https://example.com/a?id=7"),
        ("https://example.com/a?gclid=1", "https://example.com/a"),
        ("https://example.com/a?b=2&a=1&b=1", "https://example.com/a?b=2&a=1&b=1"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/story?source=3&ref=4&cid=5", "https://example.com/story?source=3&ref=4&cid=5"),
        ("https://example.com?id=1", "https://example.com/?id=1"),
        ("https://example.com/a;jump=1,2", "https://example.com/a;jump=1,2"),
        ("https://example.com/a?q=x+y%20z&u=https%3A%2F%2Fo.example", "https://example.com/a?q=x+y%20z&u=https%3A%2F%2Fo.example"),
    ],
)  # fmt: skip
def test_the_form_to_request(url, clean):
    assert clean_url(url) == clean
    assert clean_url(clean) == clean


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a",
        "//example.com/a",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "mailto:desk@example.com",
        "file:///etc/passwd",
        "http://",
        "http:///a",
        "http://:80/",
        "http://exa mple.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://example.com:port/",
        "http://[::1",
        "http://[zz::1]/",
        "http://-a-.example/",
        "http://a..example/",
        "http://" + "a" * 64 + ".example/",
        "http://example.com/a\x00b",
        "http://example.com/a\x1bb",
        "http://example.com/\ud800",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_what_is_no_address_of_a_page_is_refused(url):
    for function in (clean_url, url_key, feed_entry):
        with pytest.raises(InvalidUrl):
            function(url)


def test_a_redirect_keeps_its_parameters_and_may_be_long():
    url = "https://consent.example/?utm_source=a&back=" + "b" * 4000
    assert clean_url(url, keep_query=True) == url
    with pytest.raises(InvalidUrl):
        clean_url(url + "c" * 5000, keep_query=True)


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.com/2026/a?id=1&page=2",
        "https://example.com:443/2026/a?page=2&id=1",
        "HTTPS://WWW.EXAMPLE.COM/2026/x/../a?id=1&page=2#top",
        "https://example.com/2026/%61?utm_campaign=c&id=1&&page=2",
    ],
)
def test_one_page_has_one_identity(other):
    assert url_key(other) == url_key("https://example.com/2026/a?id=1&page=2") == "example.com/2026/a?id=1&page=2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a?id=1", "https://example.com/a?id=2"),
        ("https://example.com/a", "https://example.com/A"),
        ("https://example.com/a", "https://m.example.com/a"),
        ("http://127.0.0.2:8000/a", "http://127.0.0.2:8001/a"),
        ("http://127.0.0.2:8000/a", "http://127.0.0.3:8000/a"),
        ("https://example.com/a/b", "https://example.com/a%2Fb"),
    ],
)
def test_different_pages_have_different_identities(one, other):
    assert url_key(one) != url_key(other)


def test_www_is_part_of_the_name_where_nothing_else_is_left():
    assert url_key("https://www.com/a") == "www.com/a"
    assert url_key("https://www.co.uk/a") == "www.co.uk/a"
    assert url_key("https://www.example.co.uk/a") == "example.co.uk/a"


@pytest.mark.parametrize(
    ("url", "key", "domain"),
    [
        ("https://www.example.co.uk/a", "example.co.uk", "example.co.uk"),
        ("https://amp.news.example.com:8443/", "example.com", "example.com"),
        ("https://ann.github.io/", "ann.github.io", "ann.github.io"),
        ("https://github.io/", "github.io", "github.io"),
        ("http://127.0.0.17:8099/a", "127.0.0.17:8099", "127.0.0.17"),
        ("https://127.0.0.17/a", "127.0.0.17:443", "127.0.0.17"),
        ("http://localhost/a", "localhost:80", "localhost"),
        ("http://[::1]:9/", "[::1]:9", "[::1]"),
        ("http://press.intranet:8080/", "press.intranet", "press.intranet"),
        ("https://www.courier.example/a", "courier.example", "courier.example"),
        ("http://newsdesk:8080/", "newsdesk:8080", "newsdesk"),
        ("https://www.bücher.de/", "xn--bcher-kva.de", "xn--bcher-kva.de"),
    ],
)
def test_whose_host_it_is(url, key, domain):
    assert host_key(url) == key
    assert registrable_domain(url) == domain


def test_an_entry_carries_identity_and_host():
    entry = feed_entry("https://WWW.example.com/a?utm_source=x", title="Ferry returns")
    assert (entry.url, entry.url_key, entry.host) == ("https://www.example.com/a", "example.com/a", "example.com")
    assert entry.title == "Ferry returns"


@given(st.text(max_size=40), st.text(max_size=40))
def test_cleaning_is_stable_and_never_changes_the_host(path, query):
    try:
        clean = clean_url(f"https://News.example/{path}?{query}")
    except InvalidUrl:
        assume(False)
    assert clean_url(clean) == clean
    assert urlsplit(clean).hostname == "news.example"
    assert clean.isascii()
    assert url_key("http://" + url_key(clean)) == url_key(clean)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text):
    for url in (text, "http://" + text):
        for function in (clean_url, url_key, host_key, registrable_domain):
            with suppress(InvalidUrl):
                assert function(url).isascii()


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/sport/*", "/sport/ferry", True),
        ("/sport/*", "/sports/ferry", False),
        ("*", "/a", True),
        ("/*-a*-b*.html", "/x-a-y-b.html", True),
        ("/*-a*-b*.html", "/x-b-y-a.html", False),
        ("/ab*ba", "/aba", False),
        ("/a**b", "/ab", True),
        ("*/a", "/b/a", True),
        ("/*?page=*", "/list?page=2", True),
        ("/a.c", "/abc", False),
    ],
)
def test_stars_of_a_pattern_stand_for_any_characters(pattern, path, fits):
    assert in_scope(f"https://courier.example{path}", include=[pattern], exclude=[]) is fits


@pytest.mark.parametrize(
    "url", ["https://courier.example/" + "a" * 20_000, "https://" + "a" * 1_000_000 + "/", "a" * 9]
)
def test_what_is_too_long_for_an_address_is_none_and_is_not_remembered(url):
    for read in (clean_url, url_key, host_key, registrable_domain, feed_entry):
        with pytest.raises(InvalidUrl):
            read(url)
    with pytest.raises(InvalidUrl):
        clean_url(joined_url("https://courier.example/", "//" + "a" * 1_000_000))
