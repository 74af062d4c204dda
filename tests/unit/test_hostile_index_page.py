"""Home pages whose markup is nested or repeated beyond reason: read in time linear in them, and read right."""

from crawler.discovery.index_page import MAX_TEXT, read_index_page

URL = "http://paper.example/"


def read(html):
    return read_index_page(f"<html><body>{html}".encode(), url=URL, content_type="text/html; charset=utf-8")


def test_links_in_links_are_read_in_passing():
    # Each link holds all the words: read to the end for each, this takes half a minute.
    page = read("".join(f"<a href='/n{number}'><object>" for number in range(90)) + "word " * 800_000)
    assert len(page.links) == 90
    assert {len(link.text) for link in page.links} <= {MAX_TEXT - 1, MAX_TEXT}


def test_links_in_links_that_show_nothing_are_read_in_passing():
    page = read("".join(f"<a href='/n{number}'><object>" for number in range(90)) + "<b></b>" * 400_000)
    assert [link.text for link in page.links] == [""] * 90


def test_menus_in_menus_around_the_whole_page_are_no_menus():
    page = read("<div class=nav>" * 200 + "<b></b>" * 300_000 + "<h1>News</h1><a href='/a'>a</a>")
    assert [link.in_navigation for link in page.links] == [False]
    assert [link.in_navigation for link in read("<div class=nav><a href='/a'>a</a></div><h1>x</h1>").links] == [True]


def test_the_text_of_a_link_is_all_that_stands_in_it():
    link = "<a href='/a'>One <b>two<!-- no -->three</b> <i>four</i><?x y?> five</a> six"
    assert [link.text for link in read(link).links] == ["One twothree four five"]
    pictures = "<a href='/b'><span><img alt=' '><img alt='The ferry'></span></a> after"
    assert [link.text for link in read(pictures).links] == ["The ferry"]


def test_a_link_around_a_heading_or_a_time_is_known_by_it():
    page = "<a href='/a'><div><h3>Ferry</h3></div></a><a href='/b'><p><time>now</time></p></a><a href='/c'>c</a>"
    links = read(f"<div><div><div><div><div>{page}</div></div></div></div></div>").links
    assert [link.is_heading for link in links] == [True, False, False]
    assert links[1].dated
