"""A page that is being read when the service is ended is not the first thing that the next one does."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from scheduler import slow_readings
from scheduler.slow_readings import SlowReadings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Database:
    """What services leave behind, and the hour."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.now = NOW

    def service(self) -> SlowReadings:
        async def run(act):
            return act(SimpleNamespace(service_state=self))

        return SlowReadings(read=run, write=run, now=lambda: self.now)

    def get(self, name):
        return (self.values[name], NOW) if name in self.values else None

    def put(self, name, value, now):
        self.values[name] = value


@pytest.fixture
def database(monkeypatch) -> Database:
    monkeypatch.setattr(slow_readings, "LONG_SECONDS", 0.01)
    return Database()


async def killed_while_reading(readings: SlowReadings, page_id: int) -> None:
    """Begin to read a page, and never come to an end."""
    await readings.left_alone()
    entered = readings.reading(page_id)
    await entered.__aenter__()
    await asyncio.sleep(0.1)


def test_a_page_that_ends_its_services_is_left_alone_for_longer_and_longer(database):
    for minutes in (10, 20, 40):
        asyncio.run(killed_while_reading(database.service(), 7))
        assert asyncio.run(database.service().left_alone()) == {7}
        database.now += timedelta(minutes=minutes - 1)
        assert asyncio.run(database.service().left_alone()) == {7}
        database.now += timedelta(minutes=2)
        assert asyncio.run(database.service().left_alone()) == set()


def test_a_page_that_is_read_in_the_end_is_forgotten(database):
    async def read() -> set[int]:
        readings = database.service()
        async with readings.reading(7):
            await asyncio.sleep(0.1)
            during = await readings.left_alone()
        assert await readings.left_alone() == set()
        with pytest.raises(ZeroDivisionError):
            async with readings.reading(8):
                await asyncio.sleep(0.1)
                raise ZeroDivisionError
        return during

    assert asyncio.run(read()) == {7}
    assert asyncio.run(database.service().left_alone()) == set()


def test_what_is_read_quickly_is_not_written_down(database):
    async def read() -> None:
        async with database.service().reading(7):
            pass

    asyncio.run(read())
    assert database.values == {}


def test_what_another_version_wrote_is_passed_over(database):
    database.values["slow_readings"] = ["?"]
    assert asyncio.run(database.service().left_alone()) == set()
