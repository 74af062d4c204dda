"""While the database or the archive is away it is tried again, less and less often, and told when it is back."""

import asyncio

import pytest

from scheduler import outage as outages
from scheduler.outage import Outage, is_outage, probe_archive
from storage.errors import (
    ArchiveUnavailable,
    DatabaseGone,
    DatabaseUnavailable,
    ExtractionUnavailable,
    MorgueError,
    ServiceRunning,
)

AWAY = DatabaseUnavailable("news", "does not answer")


class Place:
    """What is probed: it is away until it was asked so often."""

    def __init__(self, *answers: MorgueError | None) -> None:
        self.answers = list(answers)
        self.changes: list[MorgueError | None] = []
        self.hopeless: list[MorgueError] = []
        self.naps: list[float] = []

    def probe(self) -> None:
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


@pytest.fixture
def naps(monkeypatch):
    """No test waits: what would be slept is noted."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(outages.asyncio, "sleep", nap)
    return slept


async def until_over(outage: Outage, place: Place) -> None:
    while outage.problem is not None and not place.hopeless:
        await asyncio.wait({outage._waiting}, timeout=0.01)


def outage_of(place: Place, clock: list[float]) -> Outage:
    return Outage(
        place.probe,
        on_change=place.changes.append,
        on_end_of_hope=place.hopeless.append,
        clock=lambda: clock[0],
    )


def test_it_is_tried_less_and_less_often_until_it_is_back(naps):
    place = Place(*[AWAY] * 7, None, AWAY, None, None)
    clock = [0.0]

    async def main() -> None:
        outage = outage_of(place, clock)
        outage.begin(AWAY)
        outage.begin(ArchiveUnavailable("archive", "is full"))  # one at a time is waited for
        await until_over(outage, place)
        assert place.changes == [AWAY, None]
        assert naps == [1, 2, 4, 8, 16, 30, 30, 30]
        # What comes back within a minute goes on as before; what comes later begins anew.
        clock[0] += 10
        outage.begin(AWAY)
        await until_over(outage, place)
        clock[0] += 100
        outage.begin(AWAY)
        await until_over(outage, place)
        assert naps[8:] == [30, 30, 1]

    asyncio.run(main())


def test_another_service_that_began_meanwhile_ends_the_waiting(naps):
    running = ServiceRunning("news", "a service is running on it")
    place = Place(AWAY, running)

    async def main() -> None:
        outage = outage_of(place, [0.0])
        outage.begin(AWAY)
        await until_over(outage, place)
        assert place.hopeless == [running]
        assert outage.problem is not None
        await outage.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("problem", "waited_for"),
    [
        (AWAY, True),
        (ArchiveUnavailable("archive", "is full"), True),
        (DatabaseGone("news", "was replaced"), False),
        (ServiceRunning("news", "has one"), False),
        (ExtractionUnavailable("reading", "no process"), True),
    ],
)
def test_what_is_waited_for(problem, waited_for):
    assert is_outage(problem) is waited_for


def test_an_archive_is_there_when_it_takes_a_file(tmp_path):
    probe_archive(tmp_path / "archive")
    assert not list((tmp_path / "archive").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveUnavailable):
        probe_archive(tmp_path / "file")
