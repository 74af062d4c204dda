"""What the archive keeps, in files that any reader of WARC files understands."""

import os

import pytest
from warcio.archiveiterator import ArchiveIterator

from storage.errors import ArchiveUnavailable, CaptureUnreadable
from tests.integration.archive_exchanges import exchange, keep, new_archive


@pytest.fixture
def archive(tmp_path):
    archive = new_archive(tmp_path / "archive")
    yield archive
    archive.close()


def records(directory):
    """All records of all files, read by warcio with its own check of digests."""
    found = []
    for path in sorted(directory.iterdir()):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.block = record.raw_stream.read()
                found.append(record)
    return found


def test_a_response_reads_back_as_it_was_sent(archive):
    sent = exchange(
        response_headers=(
            ("Set-Cookie", "a=1"),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Set-Cookie", "b=2"),
            ("Content-Encoding", "gzip"),
            ("X-Name", "Zo\xeb"),
        )
    )
    capture = archive.append(sent, body_digest="sha256:00")
    archive.sync()
    read = archive.read(capture)
    assert (read.status, read.reason_phrase, read.http_version, read.url) == (200, "OK", "HTTP/1.1", sent.url)
    assert read.body == sent.body
    assert read.response_headers == (*sent.response_headers, ("Content-Length", str(len(sent.body))))
    assert (read.started_at, read.finished_at, read.ip_address) == (sent.started_at, sent.finished_at, "192.0.2.7")
    assert (capture.captured_at, capture.body_digest) == (sent.finished_at, "sha256:00")


def test_other_tools_read_the_file(archive):
    kept = [keep(archive, number) for number in range(3)]
    archive.close()
    found = records(archive.directory)
    assert [record.rec_type for record in found] == ["warcinfo", *["response", "request"] * 3]
    info, response, request = found[:3]
    assert b"software: morgue/test" in info.block
    assert info.rec_headers.get_header("WARC-Filename") == kept[0].warc_file
    headers = response.rec_headers
    assert headers.protocol == "WARC/1.1"
    assert headers.get_header("WARC-Record-ID") == f"<{kept[0].record_id}>"
    assert headers.get_header("WARC-Target-URI") == kept[0].url
    assert headers.get_header("WARC-Date") == "2026-03-02T15:26:41.123456Z"
    assert headers.get_header("WARC-IP-Address") == "192.0.2.7"
    assert headers.get_header("WARC-Warcinfo-ID") == info.rec_headers.get_header("WARC-Record-ID")
    assert response.http_headers.get_statuscode() == "200"
    assert request.rec_headers.get_header("WARC-Concurrent-To") == f"<{kept[0].record_id}>"
    assert request.http_headers.get_header("Host") == "news.example"
    assert request.http_headers.statusline == "/ferry-0.html?page=1 HTTP/1.1"


def test_transfer_coding_is_gone_and_the_length_is_that_of_the_coded_body(archive):
    sent = exchange(
        response_headers=(
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "99999"),
            ("content-length", "3"),
            ("Content-Encoding", "gzip"),
        )
    )
    read = archive.read(archive.append(sent, body_digest=""))
    assert read.response_headers == (("Content-Length", str(len(sent.body))), ("Content-Encoding", "gzip"))


def test_http_2_is_written_so_that_readers_know_it(archive):
    archive.append(exchange(http_version="h2", reason_phrase=""), body_digest="")
    archive.close()
    response = records(archive.directory)[1]
    assert response.http_headers.protocol == "HTTP/1.1"
    assert response.rec_headers.get_header("WARC-Protocol") == "h2"


def test_a_header_cannot_begin_another(archive):
    sent = exchange(
        url="https://news.example/a b\r\nWARC-Type: metadata",
        response_headers=(("X-Odd", "one\r\nX-Injected: two"),),
        reason_phrase="OK\r\nX-Injected: three",
    )
    read = archive.read(archive.append(sent, body_digest=""))
    assert "X-Injected" not in dict(read.response_headers)
    assert read.body == sent.body
    archive.close()
    assert records(archive.directory)[1].rec_headers.get_header("WARC-Type") == "response"


def test_what_lets_us_in_is_not_archived(archive):
    archive.append(
        exchange(request_headers=(("Authorization", "Basic hunter2"), ("Cookie", "session=hunter2"))), body_digest=""
    )
    archive.close()
    assert b"hunter2" not in records(archive.directory)[2].http_headers.to_str().encode()


def test_an_empty_body_is_kept(archive):
    read = archive.read(archive.append(exchange(status=404, body=b""), body_digest=""))
    assert (read.status, read.body) == (404, b"")


def test_nothing_is_created_before_the_first_append(tmp_path):
    archive = new_archive(tmp_path / "archive")
    archive.close()
    assert not (tmp_path / "archive").exists()


def test_a_file_is_open_and_locked_until_it_is_closed(archive):
    capture = keep(archive)
    (path,) = archive.directory.iterdir()
    assert path.name == capture.warc_file + ".open"
    assert new_archive(archive.directory).recover() == []
    assert archive.read(capture).body
    archive.close()
    assert [path.name for path in archive.directory.iterdir()] == [capture.warc_file]
    assert archive.read(capture).body


def test_a_new_file_begins_before_one_grows_too_large(tmp_path):
    archive = new_archive(tmp_path, max_file_bytes=20_000)
    captures = [keep(archive, number, size=9_000) for number in range(12)]
    large = keep(archive, 99, size=90_000)
    archive.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert len(sizes) == len({capture.warc_file for capture in [*captures, large]}) > 3
    assert all(size <= 20_000 for name, size in sizes.items() if name != large.warc_file)
    for capture in [*captures, large]:
        assert archive.read(capture).record_id == capture.record_id


def test_two_writers_share_a_folder(tmp_path):
    one, other = new_archive(tmp_path), new_archive(tmp_path)
    captures = [keep(one), keep(other), keep(one)]
    one.close()
    other.close()
    assert len({capture.warc_file for capture in captures}) == 2
    assert all(one.read(capture).record_id == capture.record_id for capture in captures)


def test_appending_after_a_close_begins_another_file(archive):
    first = keep(archive)
    archive.close()
    second = keep(archive)
    assert first.warc_file != second.warc_file
    assert archive.read(first).body
    assert archive.read(second).body


def damaged(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def replaced(capture, **fields):
    return type(capture)(**{name: getattr(capture, name) for name in capture.__dataclass_fields__} | fields)


def test_what_cannot_be_read_back_says_so(archive):
    one, other = keep(archive, 1), keep(archive, 2)
    archive.close()
    path = archive.directory / one.warc_file
    for capture, problem in [
        (replaced(one, warc_file="gone.warc.gz"), "is not in"),
        (replaced(one, warc_file="../archive/" + one.warc_file), "leads out"),
        (replaced(one, offset=other.offset, length=other.length), "another record"),
        (replaced(one, offset=one.offset + 1), "damaged"),
        (replaced(one, length=one.length - 1), "does not end"),
        (replaced(one, length=one.length + 1), "does not end"),
        (replaced(other, length=other.length + 100_000), "ends before"),
    ]:
        with pytest.raises(CaptureUnreadable, match=problem) as caught:
            archive.read(capture)
        assert capture.url in caught.value.subject
    damaged(path, one.offset + one.length // 2)
    with pytest.raises(CaptureUnreadable):
        archive.read(one)
    assert archive.read(other).body


def test_a_folder_that_cannot_be_one_is_told_with_a_remedy(tmp_path):
    (tmp_path / "archive").write_text("a file")
    archive = new_archive(tmp_path / "archive")
    for use in (archive.recover, lambda: keep(archive)):
        with pytest.raises(ArchiveUnavailable) as caught:
            use()
        assert caught.value.subject == str(tmp_path / "archive")
        assert "name a folder" in caught.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ArchiveUnavailable, match="writable"):
        new_archive(tmp_path).recover()


def test_a_file_that_was_taken_away_is_noticed(archive):
    first = keep(archive)
    archive.sync()
    (archive.directory / (first.warc_file + ".open")).unlink()
    keep(archive)
    with pytest.raises(ArchiveUnavailable, match="removed"):
        archive.sync()
    again = keep(archive)
    archive.sync()
    assert archive.read(again).body


def test_captures_that_the_disk_did_not_take_are_given_up(archive, monkeypatch):
    """A failing fsync cannot be had from a healthy disk, so the system call is replaced for once."""
    synced = keep(archive, 1)
    archive.sync()
    lost = keep(archive, 2)

    def refuse(descriptor):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(ArchiveUnavailable, match="Input/output error"):
            archive.sync()
    again = keep(archive, 2)
    archive.sync()
    assert again.warc_file != lost.warc_file
    assert archive.read(synced).body
    assert archive.read(again).body
    with pytest.raises(CaptureUnreadable):
        archive.read(lost)
