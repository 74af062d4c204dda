"""The archive after kills, torn writes and full disks: everything that was synced is still there."""

import gzip
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.model import Capture
from storage.warc_members import scan_members
from tests.integration.archive_exchanges import STARTED, digest, keep, new_archive

PROJECT = Path(__file__).parents[2]


def leave_open(tmp_path, count=3, **fields):
    """Write some captures as a process that dies before it closes its file."""
    archive = new_archive(tmp_path)
    captures = [keep(archive, number, **fields) for number in range(count)]
    path = tmp_path / (captures[0].warc_file + ".open")
    content = path.read_bytes()
    archive.close()
    (tmp_path / captures[0].warc_file).unlink()
    path.write_bytes(content)
    return captures, path


def members(path):
    with path.open("rb") as file:
        return list(scan_members(file, size=path.stat().st_size))


def test_a_file_left_open_is_closed(tmp_path):
    captures, path = leave_open(tmp_path)
    size = path.stat().st_size
    (recovered,) = new_archive(tmp_path).recover()
    assert (recovered.name, recovered.kept_bytes, recovered.cut_bytes) == (captures[0].warc_file, size, 0)
    assert not path.exists()
    assert all(new_archive(tmp_path).read(capture).body for capture in captures)


@pytest.mark.parametrize("short_by", [1, 7, 8, 9, 100, 500])
def test_a_torn_record_is_cut_and_the_others_stay(tmp_path, short_by):
    captures, path = leave_open(tmp_path, size=400)
    last = captures[-1]
    path.write_bytes(path.read_bytes()[: last.offset + last.length - short_by])
    (recovered,) = new_archive(tmp_path).recover()
    assert (recovered.kept_bytes, recovered.cut_bytes) == (last.offset, last.length - short_by)
    assert all(member.complete for member in members(tmp_path / last.warc_file))
    for capture in captures[:-1]:
        assert new_archive(tmp_path).read(capture).record_id == capture.record_id


def test_zeros_behind_the_end_are_cut(tmp_path):
    captures, path = leave_open(tmp_path)
    path.write_bytes(path.read_bytes() + bytes(5_000))
    (recovered,) = new_archive(tmp_path).recover()
    assert recovered.cut_bytes == 5_000
    assert new_archive(tmp_path).read(captures[-1]).body


@pytest.mark.parametrize("left", [b"", b"\x1f\x8b\x08", bytes(100)])
def test_a_file_without_a_whole_record_is_removed(tmp_path, left):
    (tmp_path / "morgue-x.warc.gz.open").write_bytes(left)
    (recovered,) = new_archive(tmp_path).recover()
    assert recovered.kept_bytes == 0
    assert list(tmp_path.iterdir()) == []


def test_damage_in_the_middle_costs_only_what_it_hit(tmp_path):
    captures, path = leave_open(tmp_path)
    content = bytearray(path.read_bytes())
    hit = captures[1]
    content[hit.offset + 20 : hit.offset + 40] = bytes(20)
    path.write_bytes(content)
    new_archive(tmp_path).recover()
    (gap,) = [member for member in members(tmp_path / hit.warc_file) if not member.complete]
    assert (gap.offset, gap.length) == (hit.offset, hit.length)
    assert new_archive(tmp_path).read(captures[0]).body
    assert new_archive(tmp_path).read(captures[2]).body


def test_a_gzip_body_inside_a_torn_record_is_not_taken_for_a_record(tmp_path):
    """A coded body may be stored as it is in the record's own compression, and is itself a whole gzip member."""
    _, path = leave_open(tmp_path)
    size = path.stat().st_size
    record = gzip.compress(b"WARC/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + gzip.compress(b"A page"), compresslevel=0)
    assert record.count(b"\x1f\x8b\x08") == 2
    path.write_bytes(path.read_bytes() + record[:-4])
    (recovered,) = new_archive(tmp_path).recover()
    assert (recovered.kept_bytes, recovered.cut_bytes) == (size, len(record) - 4)


def test_files_of_the_living_are_left_alone(tmp_path):
    writer = new_archive(tmp_path)
    capture = keep(writer)
    assert new_archive(tmp_path).recover() == []
    later = keep(writer)
    writer.close()
    assert writer.read(capture).body
    assert writer.read(later).body


def test_whatever_the_moment_of_a_kill_what_was_synced_reads_back(tmp_path):
    pauses = random.Random(7)
    printed = []
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.archive_exchanges", str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=PROJECT,
        )
        # By how many it has kept, and not by the clock alone: a busy machine may keep few in a while.
        first = b"".join(process.stdout.readline() for _ in range(10))
        time.sleep(pauses.uniform(0.01, 0.3))
        process.kill()
        rest = process.communicate()[0]
        # The last line may itself be torn.
        printed += [line for line in (first + rest).decode().splitlines(keepends=True) if line.endswith("\n")]
    archive = new_archive(tmp_path)
    archive.recover()
    assert len(printed) > 50
    assert not list(tmp_path.glob("*.open"))
    for line in printed:
        record_id, warc_file, offset, length, body_digest = line.split()
        capture = Capture(
            record_id=record_id,
            url="https://news.example/",
            captured_at=STARTED,
            warc_file=warc_file,
            offset=int(offset),
            length=int(length),
            body_digest=body_digest,
        )
        assert digest(gzip.decompress(archive.read(capture).body)) == body_digest
    for path in tmp_path.iterdir():
        assert all(member.complete for member in members(path))


FULL_DISK = """
import resource, sys
from storage.errors import ArchiveUnavailable
from tests.integration.archive_exchanges import keep, new_archive

archive = new_archive(sys.argv[1])
kept = []
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
refusals = 0
while refusals < 3:
    try:
        kept.append(keep(archive, len(kept), size=9_000))
        archive.sync()
    except ArchiveUnavailable as problem:
        assert "limit on the size of files" in problem.remedy, problem
        refusals += 1
before = len(kept)
assert before > 3
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
for _ in range(3):
    kept.append(keep(archive, len(kept), size=9_000))
archive.sync()
assert len({capture.warc_file for capture in kept}) == 1
archive.close()
assert all(archive.read(capture).record_id == capture.record_id for capture in kept)
print(before, len(kept))
"""


def test_a_refused_write_leaves_whole_records_and_the_archive_goes_on(tmp_path):
    """A limit on the size of files stands in for the full disk: the system takes a part and refuses the rest."""
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    before, total = map(int, done.stdout.split())
    assert total == before + 3
    assert [member.complete for member in members(path)] == [True] * (1 + 2 * total)
