"""Bodies as servers send them: well coded, badly coded, torn, and made to fill memory."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.content_coding import BadContentCoding, decode_body, zstd

PAGE = b"<html>" + b"The ferry was late again. " * 400 + bytes(range(256)) + b"</html>"


def raw_deflate(data):
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


CODED = {
    "gzip": gzip.compress(PAGE),
    "x-gzip": gzip.compress(PAGE),
    "deflate": zlib.compress(PAGE),
    "br": brotli.compress(PAGE),
    "zstd": zstd.compress(PAGE),
}


@pytest.mark.parametrize("coding", CODED)
def test_a_body_is_decoded(coding):
    assert decode_body(CODED[coding], coding, max_bytes=len(PAGE)) == PAGE


def test_deflate_without_its_frame_is_decoded():
    assert decode_body(raw_deflate(PAGE), "deflate", max_bytes=len(PAGE)) == PAGE


@pytest.mark.parametrize("words", [None, "", "identity", "none", "UTF-8", " , "])
def test_words_that_name_no_coding_leave_the_body_alone(words):
    assert decode_body(PAGE, words, max_bytes=len(PAGE)) == PAGE


def test_the_last_coding_is_undone_first():
    assert decode_body(brotli.compress(gzip.compress(PAGE)), "GZip, br", max_bytes=len(PAGE)) == PAGE


def test_every_gzip_member_is_read_and_padding_is_not():
    body = gzip.compress(PAGE[:100]) + gzip.compress(PAGE[100:]) + b"\0" * 20
    assert decode_body(body, "gzip", max_bytes=len(PAGE)) == PAGE


def test_every_zstd_frame_is_read():
    body = zstd.compress(PAGE[:100]) + b"".join(zstd.compress(bytes([byte])) for byte in PAGE[100:])
    assert decode_body(body, "zstd", max_bytes=len(PAGE)) == PAGE


def test_a_zstd_window_that_takes_more_memory_than_http_allows_is_refused():
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.compression_level: 1}
    coder = zstd.ZstdCompressor(options=options)
    body = coder.compress(PAGE * 2000) + coder.flush()
    with pytest.raises(BadContentCoding, match="bad_encoding"):
        decode_body(body, "zstd", max_bytes=1 << 30)


@pytest.mark.parametrize("coding", CODED)
def test_an_empty_body_is_empty(coding):
    assert decode_body(b"", coding, max_bytes=10) == b""


@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("missing", [1, 4, 8, 40])
def test_a_torn_body_is_told(coding, missing):
    with pytest.raises(BadContentCoding) as caught:
        decode_body(CODED[coding][:-missing], coding, max_bytes=len(PAGE))
    assert caught.value.reason == "truncated"


def test_a_torn_second_member_is_told():
    with pytest.raises(BadContentCoding) as caught:
        decode_body(CODED["gzip"] + CODED["gzip"][:-3], "gzip", max_bytes=10 * len(PAGE))
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize("coding", [*CODED, "zstd"])
def test_other_bytes_are_told(coding):
    with pytest.raises(BadContentCoding) as caught:
        decode_body(b"<html>plain, whatever the header says</html>", coding, max_bytes=1000)
    assert caught.value.reason == "bad_encoding"


def test_a_wrong_checksum_is_told():
    body = bytearray(CODED["gzip"])
    body[-5] ^= 1
    with pytest.raises(BadContentCoding) as caught:
        decode_body(bytes(body), "gzip", max_bytes=len(PAGE))
    assert caught.value.reason == "bad_encoding"


@pytest.mark.parametrize("coding", [*CODED, None])
def test_one_byte_too_many_is_told(coding):
    with pytest.raises(BadContentCoding) as caught:
        decode_body(CODED.get(coding, PAGE), coding, max_bytes=len(PAGE) - 1)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("coding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(50_000_000))),
        ("br", brotli.compress(bytes(50_000_000), quality=5)),
        ("deflate", raw_deflate(bytes(50_000_000))),
    ],
)
def test_a_bomb_does_not_fill_memory(coding, bomb):
    tracemalloc.start()
    with pytest.raises(BadContentCoding) as caught:
        decode_body(bomb, coding, max_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == "too_large"
    assert peak < 5_000_000


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br"]))
def test_any_bytes_give_a_body_or_a_reason(body, coding):
    try:
        decode_body(body, coding, max_bytes=1000)
    except BadContentCoding as problem:
        assert problem.reason in {"bad_encoding", "truncated", "too_large"}


def test_a_body_of_very_many_members_costs_no_more_than_its_length():
    """Each decoder copies what it leaves over; were that the whole rest, 100,000 members would copy 100 GB."""
    members = gzip.compress(b"", mtime=0) * 100_000 + gzip.compress(b"the end", mtime=0)
    assert decode_body(members, "gzip", max_bytes=1_000) == b"the end"


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 16_000_000])
def test_what_is_packed_very_tightly_comes_out_whole(length):
    """The last byte that goes in may bring out much more than one piece."""
    for coding, packed in (("gzip", gzip.compress(bytes(length), mtime=0)), ("deflate", zlib.compress(bytes(length)))):
        assert decode_body(packed, coding, max_bytes=length) == bytes(length)


@pytest.mark.parametrize("label", [", ".join(["gzip"] * 6), ", ".join(["gzip"] * 2_000), "identity," * 1_000])
def test_more_codings_than_any_server_means_are_not_undone(label):
    body = PAGE
    for _ in range(min(label.count("gzip"), 6)):
        body = gzip.compress(body, 1)
    with pytest.raises(BadContentCoding) as refused:
        decode_body(body, label, max_bytes=10 * len(PAGE))
    assert refused.value.reason == "too_many_codings"


def test_a_handful_of_codings_is_undone():
    body = PAGE
    for _ in range(5):
        body = gzip.compress(body, 1)
    assert decode_body(body, "gzip, gzip, identity, gzip, gzip, gzip", max_bytes=10 * len(PAGE)) == PAGE


def test_frames_without_end_are_refused():
    with pytest.raises(BadContentCoding):
        decode_body(zstd.compress(b"") * 200_000, "zstd", max_bytes=1_000)
