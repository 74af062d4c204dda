"""What another user left or owns is read where it may be read, gone beside where that is sound, else named."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.store import Store
from tests.integration.archive_exchanges import keep, new_archive
from tests.integration.commands import MORGUE, environment, run

POWERS = "-dac_override,-dac_read_search,-fowner"
"""What makes root read and write where it has no permission."""


def bound_by_permissions(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run `morgue` as a user to whom the modes of files apply, and return its code, output and errors."""
    prefix = [] if os.geteuid() else ["setpriv", "--bounding-set", POWERS, "--inh-caps", POWERS]
    if prefix and shutil.which(prefix[0]) is None:
        pytest.skip("root needs setpriv (util-linux) to be held to permissions")
    done = subprocess.run(
        [*prefix, MORGUE, *words], cwd=folder, env=environment({}), capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@contextmanager
def modes(modes_of: dict[Path, int]) -> Iterator[None]:
    """Give files and folders modes for a while."""
    before = {path: path.stat().st_mode & 0o777 for path in modes_of}
    try:
        for path, mode in modes_of.items():
            path.chmod(mode)
        yield
    finally:
        for path, mode in before.items():
            if path.exists():
                path.chmod(mode)


@pytest.fixture
def archived(folder: Path, server) -> str:
    """The URL of an article in the folder's archive."""
    assert run(folder, "crawl", server.url("/one")).returncode == 0
    return server.url("/one")


def test_an_archive_is_read_without_permission_to_write(folder, archived):
    nobody_writes = {folder / "morgue.db": 0o444, folder / "archive": 0o555, folder: 0o555}
    before = sorted(folder.rglob("*"))
    with modes(nobody_writes):
        for words in (["list"], ["show", archived], ["verify"], ["status", "--json"], ["db", "check"]):
            code, output, errors = bound_by_permissions(folder, *words)
            assert (code, errors) == (0, ""), (words, output, errors)
        code, _, errors = bound_by_permissions(folder, "crawl", archived)
        assert (code, errors.count("\n")) == (1, 1)
        assert "writable for this user" in errors
        assert sorted(folder.rglob("*")) == before


def test_it_is_read_while_somebody_else_writes(folder, archived):
    with Store.open(f"sqlite:///{folder / 'morgue.db'}") as store:
        store.check_writable()
        files = [folder / f"morgue.db{ending}" for ending in ("", "-wal", "-shm")]
        with modes(dict.fromkeys(files, 0o444) | {folder: 0o555}):
            code, output, errors = bound_by_permissions(folder, "list", "--json")
            assert (code, errors) == (0, "")
            assert archived in output


def test_a_file_beside_the_database_that_another_user_left_is_named(folder, archived):
    with Store.open(f"sqlite:///{folder / 'morgue.db'}") as store:
        store.check_writable()
        with modes({folder / "morgue.db-wal": 0o444}):
            code, _, errors = bound_by_permissions(folder, "crawl", archived)
    assert code == 1
    assert "make morgue.db-wal writable for this user" in errors
    assert errors.count("\n") == 1


def test_a_warc_file_that_another_user_left_open_is_gone_beside(folder, archived, server):
    left = new_archive(folder / "archive")
    capture = keep(left)
    left.sync()
    path = folder / "archive" / f"{capture.warc_file}.open"
    content = path.read_bytes()
    os.close(left._current.descriptor)  # as at the end of a process that was killed
    with modes({path: 0o444}):
        code, output, errors = bound_by_permissions(folder, "crawl", server.url("/two"))
        assert (code, errors.count("\n")) == (0, 1), (output, errors)
        assert '"event": "archive_left_open"' in errors
        assert capture.warc_file in errors
        assert path.read_bytes() == content
        assert bound_by_permissions(folder, "verify")[0] == 0
    assert new_archive(folder / "archive").recover()[0].kept_bytes == len(content)


def test_a_lock_file_that_may_not_be_read_is_named(folder, archived):
    (folder / "morgue.db.service-lock").touch()
    with modes({folder / "morgue.db.service-lock": 0o000}):
        code, _, errors = bound_by_permissions(folder, "run")
    assert code == 1
    assert "morgue.db.service-lock: the lock file cannot be opened: Permission denied; make it readable" in errors


def test_an_archive_that_is_another_folder_is_not_written(tmp_path: Path):
    archive = Archive(tmp_path / "archive", max_file_bytes=10**9, software="test")
    archive.recover()
    keep(archive)
    archive.sync()
    (tmp_path / "archive").rename(tmp_path / "moved")
    with pytest.raises(Exception, match="put the folder back"):
        archive.check_folder()
    keep(archive)
    with pytest.raises(Exception, match="removed or renamed"):
        archive.sync()
    with pytest.raises(Exception, match="put the folder back"):
        keep(archive)
    (tmp_path / "archive").mkdir()
    with pytest.raises(Exception, match="another folder is in its place"):
        archive.check_folder()
    (tmp_path / "archive").rmdir()
    (tmp_path / "moved").rename(tmp_path / "archive")
    archive.check_folder()
    capture = keep(archive)
    archive.sync()
    assert archive.read(capture).body
