"""A process that may open no more files says so, and blames no page."""

import errno
import subprocess

import pytest

from crawler import http_handler, reactor
from crawler.runner import open_engine
from crawler.settings import CrawlSettings
from storage.errors import ShortOfResources
from storage.outcomes import Outcome
from tests.integration.bad_server import bad_server
from tests.morgue_command import command, environment


def attempt(url: str):
    async def run():
        async with open_engine(CrawlSettings(allow_private_addresses=True)) as downloader:
            return await downloader.attempt(url, {})

    return reactor.run(run())


def refusing(number: int):
    def guarded_socket(*, allow_private):
        def make(address):
            raise OSError(number, "refused by the operating system")

        return make

    return guarded_socket


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_no_connection_for_want_of_files_or_memory_is_no_outcome_of_the_page(monkeypatch, number):
    monkeypatch.setattr(http_handler, "guarded_socket", refusing(number))
    with pytest.raises(ShortOfResources):
        attempt("http://127.0.0.1:8080/")


def test_an_address_of_a_kind_that_this_machine_does_not_know_is_unreachable(monkeypatch):
    monkeypatch.setattr(http_handler, "guarded_socket", refusing(errno.EAFNOSUPPORT))
    ended = attempt("http://[::1]:8080/")
    assert (ended.outcome, ended.reason) == (Outcome.NETWORK_ERROR, "unreachable")


def test_few_open_files_are_enough_for_many_hosts(tmp_path):
    """A connection is kept to each host that was asked, and a process may have 256 files open, as on macOS."""
    hosts = tuple(f"127.0.{net}.{number}" for net in (8, 9) for number in range(1, 151))
    page = b"<p>Nothing to read.</p>"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)

    def keep_open(connection):
        connection.sendall(answer)
        connection.settimeout(60)
        connection.recv(1)

    with bad_server(hosts=hosts) as server:
        server.scripts["/a"] = keep_open
        settings = "[crawl]\nallow_private_addresses = true\ndelay_seconds = 0.0\n"
        (tmp_path / "morgue.toml").write_text(settings)
        urls = [f"http://{host}:{server.port}/a" for host in hosts]
        limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *map(str, command(tmp_path, "crawl", *urls))]
        done = subprocess.run(limited, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert "not_article" in done.stdout, (done.stdout, done.stderr)
    assert "too many" not in (done.stdout + done.stderr).lower()
    assert done.returncode in (0, 1), done.stderr
    assert len(server.asked) == 2 * len(hosts)
