"""A wish to reload is never lost, and everybody who asked is answered."""

import asyncio
from types import SimpleNamespace

import pytest
import structlog

from crawler.settings import SourceSettings
from scheduler.control_cli import _ask, _await_reload
from scheduler.reloading import Reloading
from scheduler.settings import Settings
from storage.errors import DatabaseUnavailable


def reloading(store, read_settings, settings=None) -> Reloading:
    async def read(work):
        with store.reading() as transaction:
            return work(transaction)

    async def write(work):
        with store.writing() as transaction:
            return work(transaction)

    crawling = SimpleNamespace(
        read=read, store=store, recorder=SimpleNamespace(write=write), sources=SimpleNamespace(reload=lambda: None)
    )
    notifier = SimpleNamespace(reloading=lambda: None, ready=lambda text: None)
    return Reloading(
        settings or Settings(),
        crawling,
        read_settings=read_settings,
        notifier=notifier,
        on_reloaded=lambda settings: None,
    )


def test_a_wish_that_comes_while_the_file_is_read_has_it_read_again(store):
    readings = []

    def read_settings():
        if not readings:
            one.ask()
        readings.append(1)
        return Settings(), []

    one = reloading(store, read_settings)

    async def run():
        one.ask()
        for _ in range(3):
            await one.heed()

    asyncio.run(run())
    assert len(readings) == 2


def test_a_wish_that_the_database_kept_from_being_fulfilled_stays(store):
    readings = []

    def read_settings():
        readings.append(1)
        if len(readings) == 1:
            raise DatabaseUnavailable("morgue.db", "is away", "wait")
        return Settings(), []

    one = reloading(store, read_settings)

    async def run():
        one.ask()
        with pytest.raises(DatabaseUnavailable):
            await one.heed()
        await one.heed()

    asyncio.run(run())
    assert len(readings) == 2


def test_all_who_ask_at_once_are_answered(store):
    one = reloading(store, lambda: (Settings(), []))

    async def run():
        await one.begin()
        for token in ("a", "b", "c"):
            _ask(store, token)
        await one.heed()
        _ask(store, "d")
        await one.heed()

    with structlog.testing.capture_logs() as logs:
        asyncio.run(run())
    assert [entry["event"] for entry in logs] == ["reloaded", "reloaded"]
    assert all(_await_reload(store, token) is not None for token in ("a", "b", "c", "d"))


def test_sources_that_are_gone_are_named_up_to_twenty_of_them(store):
    before = Settings(source=[SourceSettings(slug=f"paper-{number:02d}") for number in range(30)])
    answers = iter([Settings(source=before.source[25:]), Settings()])
    one = reloading(store, lambda: (next(answers), []), before)

    async def run():
        await one.begin()
        one.ask()
        await one.heed()
        _ask(store, "a")
        await one.heed()

    with structlog.testing.capture_logs() as logs:
        asyncio.run(run())
    gone = [entry["slugs"] for entry in logs if entry["event"] == "sources_gone"]
    assert gone == [[f"paper-{number:02d}" for number in range(20)], [f"paper-{number}" for number in range(25, 30)]]
    answer = _await_reload(store, "a")
    assert (answer["gone"], answer["removed"]) == (gone[1], 5)
