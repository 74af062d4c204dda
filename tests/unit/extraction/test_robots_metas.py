"""What a page's `meta` elements say, found without parsing: at least what a parser finds."""

import pytest

from crawler.extraction.robots_metas import robots_metas

NOARCHIVE = {"robots": ["noarchive"]}


@pytest.mark.parametrize(
    "body",
    [
        b"<meta name=robots content=noarchive>",
        b"<META NAME='Robots' CONTENT='noarchive'/>",
        b'<meta content="noarchive" name="robots">',
        b"<meta\n name = robots\n content = noarchive\n>",
        b"<meta/name=robots/content=noarchive>".replace(b"robots/", b"robots "),
        b"<body><p>Not found</p><meta name=robots content=noarchive></body>",
        b"<!-- a comment --><meta name=robots content=noarchive>",
        b"<!--><meta name=robots content=noarchive>",
        b"<!-- never ends <meta name=robots content=noarchive>",
        b'<meta name="robots" content="no&#97;rchive">',
        b'<meta data-x="a > b" name="robots" content="noarchive">',
        "<meta name=robots content=noarchive>".encode("utf-16"),
        b"x" * 2_000_000 + b"<meta name=robots content=noarchive>",
    ],
)
def test_it_is_found_however_it_is_written(body):
    assert robots_metas(body) == NOARCHIVE


@pytest.mark.parametrize(
    "body", [b"", b"<p>noarchive</p>", b"<!-- <meta name=robots content=noarchive> -->", b"<metal name=robots>"]
)
def test_what_is_not_there_is_not_found(body):
    assert robots_metas(body) == {}


def test_names_of_every_kind_are_collected():
    body = b'<meta property="og:url" content="/a"><meta name="robots" content="noai"><meta name="robots" content="x">'
    body += b'<meta http-equiv="X-Robots-Tag" content="noarchive"><meta name="empty">'
    expected = {"og:url": ["/a"], "robots": ["noai", "x"], "x-robots-tag": ["noarchive"], "empty": [""]}
    assert robots_metas(body) == expected


@pytest.mark.parametrize("piece", [b"<meta ", b"<!--", b'<meta "', b"<meta name=", b"<meta '\"", b"<", b'"'])
def test_markup_without_end_is_read_once(piece):
    said = robots_metas(piece * (3_000_000 // len(piece)))
    assert "robots" not in said
