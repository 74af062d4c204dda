"""What verification finds: all damage, and nothing else."""

import gzip
import json
from dataclasses import replace

import pytest

from storage.records import StoredCapture
from storage.verify import verify
from tests.integration.archive_exchanges import digest, exchange, keep, new_archive, page


@pytest.fixture
def archive(tmp_path):
    archive = new_archive(tmp_path)
    yield archive
    archive.close()


def rows(captures):
    return [StoredCapture(capture_id=number, capture=capture) for number, capture in enumerate(captures, 1)]


def path_of(archive, capture):
    return archive.directory / capture.warc_file


def change(path, at, new=None):
    content = bytearray(path.read_bytes())
    content[at] = content[at] ^ 0xFF if new is None else new
    path.write_bytes(content)


def test_a_whole_archive_is_healthy(archive):
    captures = [keep(archive, number) for number in range(4)]
    archive.close()
    captures.append(keep(archive, 4))  # and one in a file that is still written
    seen = []
    report = verify(archive, rows(captures), progress=lambda done, total: seen.append((done, total)))
    assert report.healthy
    assert not report.recoverable
    assert (report.files, report.members, report.responses, report.captures) == (2, 12, 5, 5)
    assert (report.orphans, report.being_written) == (0, 1)
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == report.bytes
    assert "all whole" in report.summary()


def test_a_folder_that_is_missing_is_an_empty_archive(tmp_path):
    assert verify(new_archive(tmp_path / "none"), []).healthy


def test_odd_headers_are_no_damage(archive):
    odd = archive.append(
        exchange(
            1,
            response_headers=(("X-Name", "Zo\xeb"), ("X-Empty", ""), ("Content-Encoding", "gzip")),
            http_version="h2",
            reason_phrase="",
        ),
        body_digest=digest(page(1)),
    )
    bodiless = archive.append(exchange(2, body=b"", status=204, response_headers=()), body_digest=digest(b""))
    report = verify(archive, rows([odd, bodiless]))
    assert report.damage == []
    assert report.responses == 2


def test_orphans_are_counted_and_are_no_damage(archive):
    captures = [keep(archive, number) for number in range(3)]
    report = verify(archive, rows(captures[:1]))
    assert (report.orphans, report.healthy) == (2, True)


def test_every_body_is_digested_after_decoding(archive):
    right, wrong = keep(archive, 1), archive.append(exchange(2), body_digest=digest(page(3)))
    coded = archive.append(exchange(4), body_digest=digest(gzip.compress(page(4), mtime=1)))
    report = verify(archive, rows([right, wrong, coded]))
    assert [(damage.capture_id, damage.offset) for damage in report.damage] == [(2, wrong.offset), (3, coded.offset)]
    assert "digest of the decoded body" in report.damage[0].what
    assert wrong.url in str(report.damage[0])


def test_a_body_that_never_could_be_decoded_is_held_to_its_own_digest(archive):
    body = b"not gzip at all"
    kept = archive.append(exchange(body=body), body_digest=digest(body))
    other = archive.append(exchange(body=body), body_digest=digest(b""))
    report = verify(archive, rows([kept, other]))
    (damage,) = report.damage
    assert (damage.capture_id, damage.what) == (2, "the body cannot be decoded (bad_encoding)")


def test_one_damaged_byte_is_found_twice_and_only_there(archive):
    """Once as a record that is not whole, once as a capture that does not read back."""
    captures = [keep(archive, number) for number in range(5)]
    archive.close()
    hit = captures[2]
    change(path_of(archive, hit), hit.offset + hit.length // 2)
    report = verify(archive, rows(captures))
    assert [(damage.offset, damage.length, damage.capture_id) for damage in report.damage] == [
        (hit.offset, hit.length, None),
        (hit.offset, hit.length, 3),
    ]
    assert (report.responses, report.orphans) == (4, 0)
    assert not report.healthy


def test_a_torn_closed_file_is_damage(archive):
    captures = [keep(archive, number) for number in range(2)]
    archive.close()
    path = path_of(archive, captures[0])
    path.write_bytes(path.read_bytes()[: captures[1].offset + 50])
    report = verify(archive, rows(captures))
    assert {damage.offset for damage in report.damage} == {captures[1].offset}
    assert len(report.damage) == 2


def test_a_missing_file_is_damage(archive):
    captures = [keep(archive, number) for number in range(2)]
    archive.close()
    path_of(archive, captures[0]).unlink()
    report = verify(archive, rows(captures))
    assert [damage.capture_id for damage in report.damage] == [1, 2]
    assert all("is not in" in damage.what for damage in report.damage)


def test_the_torn_end_of_an_abandoned_file_is_recoverable(archive):
    capture = keep(archive)
    archive.close()
    path = path_of(archive, capture)
    path.rename(path.with_name(path.name + ".open"))
    with path.with_name(path.name + ".open").open("ab") as file:
        file.write(gzip.compress(b"WARC/1.1\r\n")[:-3])
    report = verify(archive, rows([capture]))
    assert report.healthy
    (torn,) = report.recoverable
    assert (torn.file, torn.what) == (capture.warc_file, "the last record is torn")
    archive.recover()
    assert not verify(archive, rows([capture])).recoverable


def test_a_record_that_is_half_written_by_the_living_is_not_judged(archive):
    capture = keep(archive)
    with (archive.directory / (capture.warc_file + ".open")).open("ab") as file:
        file.write(gzip.compress(b"WARC/1.1\r\n")[:-3])
    report = verify(archive, rows([capture]))
    assert (report.damage, report.recoverable, report.being_written) == ([], [], 1)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"no record", "no WARC record"),
        (b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 50\r\n\r\nshort", "shorter than it says"),
        (
            b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 4\r\n"
            b"WARC-Block-Digest: sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\r\nbody\r\n\r\n",
            "digest of the block",
        ),
    ],
)
def test_a_member_that_is_whole_and_yet_wrong_is_found(archive, content, what):
    (archive.directory / "other.warc.gz").write_bytes(gzip.compress(content))
    (damage,) = verify(archive, []).damage
    assert damage.file == "other.warc.gz"
    assert what in damage.what


def test_a_row_that_names_another_place_is_damage(archive):
    one, other = keep(archive, 1), keep(archive, 2)
    report = verify(archive, rows([one, replace(other, offset=one.offset, length=one.length)]))
    assert [damage.capture_id for damage in report.damage] == [2]
    assert report.orphans == 1


def test_the_report_is_json(archive):
    capture = keep(archive)
    row = json.loads(json.dumps(verify(archive, rows([replace(capture, warc_file="gone.warc.gz")])).as_row()))
    assert row["healthy"] is False
    assert row["damage"][0]["file"] == "gone.warc.gz"
    assert row["captures"] == 1
