"""What a server sent stands in the archive as it was sent."""

import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.integration.bad_answers import PAGE
from tests.integration.bad_server import then_silence


@pytest.fixture
def backend() -> str:
    """What is kept of an answer does not depend on the kind of database."""
    return "sqlite"


def responses(morgue) -> list:
    found = []
    for path in sorted(morgue.folder.rglob("*.warc.gz*")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response":
                    found.append(
                        (record.http_headers.statusline, record.http_headers.headers, record.raw_stream.read())
                    )
    return found


def test_reason_phrase_and_header_fields_are_kept_in_their_order_and_case(morgue, server):
    fields = [
        ("x-first", "1"),
        ("Content-type", "text/html"),
        ("Set-Cookie", "a=1"),
        ("X-Odd_Case", "two words"),
        ("set-cookie", "b=2"),
        ("Content-Length", str(len(PAGE))),
    ]
    head = ["HTTP/1.1 200 All Is Well", *(f"{name}: {value} " for name, value in fields)]
    server.scripts["/page"] = then_silence("\r\n".join([*head, "", ""]).encode() + PAGE)
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    assert responses(morgue) == [("200 All Is Well", fields, PAGE)]


def test_a_chunked_body_is_kept_without_its_chunks_and_its_trailers(morgue, server):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    chunks = b"%x\r\n%b\r\n0\r\nX-Sum: 7\r\n\r\n" % (len(PAGE), PAGE)
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    server.scripts["/page"] = then_silence(early + head + chunks)
    assert morgue.crawl(server.url("/page")).outcomes == {"created": 1}
    ((status, fields, body),) = responses(morgue)
    assert (status, body) == ("200 OK", PAGE)
    assert [name for name, _ in fields] == ["Content-Type", "Trailer", "Content-Length"]
