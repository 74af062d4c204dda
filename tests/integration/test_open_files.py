"""A process that may open no more files says so, and blames no page."""

import errno

import pytest

from crawler import http_handler, reactor
from crawler.runner import open_engine
from crawler.settings import CrawlSettings
from storage.errors import ShortOfResources
from storage.outcomes import Outcome


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
