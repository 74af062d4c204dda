"""What is told of the service while parts of it really hang: the loop, the database, the writer."""

import asyncio
import contextlib
import http.client
import json
import sqlite3
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from crawler.politeness import StuckHost
from crawler.recorder import Recorder
from scheduler import health, watching
from scheduler.health import DatabaseProbe, Stage
from scheduler.http import HttpServer, HttpUnavailable
from scheduler.settings import ServiceSettings, Settings
from scheduler.source_warnings import WarningKind
from scheduler.standing_warnings import StandingWarning, keep_warnings
from scheduler.watching import Watching
from storage.clock import utc_now
from storage.settings import ArchiveSettings, DatabaseSettings
from storage.store import Store
from tests.running_service import wait_until

PATIENCE_SECONDS = 30


@pytest.fixture
def backend() -> str:
    return "sqlite"  # what is told is the same of both; how PostgreSQL goes away is tested with the service


@pytest.fixture
def settings(database_url, tmp_path) -> Settings:
    return Settings(
        database=DatabaseSettings(url=database_url),
        archive=ArchiveSettings(directory=tmp_path),
        service=ServiceSettings(http="127.0.0.1:0"),
    )


@pytest.fixture
def quick(monkeypatch):
    """Have everything noticed after parts of a second."""
    monkeypatch.setattr(health, "LOOP_SECONDS", 0.5)
    monkeypatch.setattr(health, "DATABASE_SECONDS", 0.5)
    monkeypatch.setattr(watching, "WRITER_SECONDS", 0.5)
    monkeypatch.setattr(watching, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(watching, "DatabaseProbe", lambda probe: DatabaseProbe(probe, every_seconds=0.05))


def ask(port: int, path: str = "/healthz") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def told(port: int) -> tuple[int, str, list[str]]:
    """Return what /healthz says: status code, state, and the codes of the problems."""
    status, body = ask(port)
    said = json.loads(body)
    return status, said["status"], [problem["code"] for problem in said["problems"]]


def watched(settings: Settings, store: Store, meanwhile: Callable[[Watching, int], None]) -> None:
    """Watch a service that has nothing to do, and do something in a thread meanwhile."""

    async def run() -> None:
        async with Watching(settings, store, software="morgue/1.2.3") as watching:
            await watching.refresh()
            watching.health.enter(Stage.RUNNING)
            assert watching.server is not None
            await asyncio.to_thread(meanwhile, watching, watching.server.port)

    asyncio.run(run())


def test_stages_are_told(settings, store):
    def meanwhile(watching: Watching, port: int) -> None:
        assert told(port) == (200, "ok", [])
        for stage in (Stage.STARTING, Stage.STOPPING):
            watching.health.enter(stage)
            assert told(port) == (503, stage.value, [])

    watched(settings, store, meanwhile)


def test_a_loop_that_hangs_is_told_by_a_thread_and_well_when_it_moves_again(quick, settings, store):
    blocked, go_on = threading.Event(), threading.Event()

    def block() -> None:
        blocked.set()
        go_on.wait(PATIENCE_SECONDS)

    async def run() -> list[tuple[int, str, list[str]]]:
        async with Watching(settings, store, software="morgue/1.2.3") as watching:
            watching.health.enter(Stage.RUNNING)
            assert watching.server is not None
            asking = asyncio.create_task(asyncio.to_thread(ask_while_blocked, watching.server.port))
            await asyncio.sleep(0.2)
            block()  # the loop itself
            return await asking

    def ask_while_blocked(port: int) -> list[tuple[int, str, list[str]]]:
        blocked.wait(PATIENCE_SECONDS)
        wait_until(lambda: told(port)[0] == 503, "the loop that hangs was noticed")
        found = [told(port)]
        assert "\nmorgue_healthy 0.0\n" in ask(port, "/metrics")[1]
        go_on.set()
        wait_until(lambda: told(port)[0] == 200, "the loop was well again")
        return found

    with capture_logs() as lines:
        [(status, state, codes)] = asyncio.run(run())
        assert (status, state) == (503, "unhealthy")
        assert "loop_blocked" in codes
    assert "http_listening" in [line["event"] for line in lines]


def test_a_database_that_another_program_holds_is_told_and_well_when_it_is_free(quick, settings, store):
    def meanwhile(watching: Watching, port: int) -> None:
        with contextlib.closing(sqlite3.connect(store.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_until(lambda: told(port)[2] == ["database_stuck"], "the lock was noticed")
            assert told(port)[:2] == (503, "unhealthy")
            wait_until(lambda: "problem_begun" in [line["event"] for line in lines], "it was in the log")
            # A scrape asks nothing of the database, so that it does not wait.
            assert '\nmorgue_problem{code="database_stuck"} 1.0\n' in ask(port, "/metrics")[1]
            other.execute("ROLLBACK")
        wait_until(lambda: told(port) == (200, "ok", []), "the database was free again")
        wait_until(lambda: "problem_ended" in [line["event"] for line in lines], "the end was in the log")

    with capture_logs() as lines:
        watched(settings, store, meanwhile)
    events = [(line["event"], line.get("code")) for line in lines if line["event"].startswith("problem")]
    # On a busy machine it may be noticed more than once.
    assert events[:2] == [("problem_begun", "database_stuck"), ("problem_ended", "database_stuck")]


class Held:
    """What `Watching.watch` looks at, with a recorder on a database that is held, and a host that says nothing."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.politeness = self

    def stuck(self):
        return [StuckHost(host="mute.example", seconds=47.3, silences=2)]


def test_a_writer_that_gets_nothing_written_is_told(quick, settings, store):
    async def run() -> None:
        async with Watching(settings, store, software="morgue/1.2.3") as watching:
            with Recorder(store, archive=None, watcher=watching.metrics) as recorder:
                watching.watch(Held(recorder), in_hand=lambda: 0)
                watching.health.enter(Stage.RUNNING)
                assert watching.server is not None
                port = watching.server.port
                await recorder.write(lambda tx: None)
                assert (await asyncio.to_thread(told, port))[0] == 200
                with contextlib.closing(sqlite3.connect(store.file, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
                    writing = asyncio.create_task(recorder.write(lambda tx: None))
                    await asyncio.to_thread(
                        wait_until, lambda: "writer_stuck" in told(port)[2], "the writer was noticed"
                    )
                    assert "\nmorgue_recorder_waiting 1.0\n" in (await asyncio.to_thread(ask, port, "/metrics"))[1]
                    other.execute("ROLLBACK")
                await writing
                await asyncio.to_thread(wait_until, lambda: told(port)[0] == 200, "the writer was well again")

    asyncio.run(run())


def test_a_writer_that_was_closed_is_no_problem_and_one_that_broke_is(settings, store):
    async def run() -> None:
        async with Watching(settings, store, software="morgue/1.2.3") as watching:
            watching.health.enter(Stage.STOPPING)
            assert watching.server is not None
            with Recorder(store, archive=None, watcher=watching.metrics) as recorder:
                watching.watch(Held(recorder), in_hand=lambda: 2, polls=lambda: 1)
                assert (await asyncio.to_thread(told, watching.server.port)) == (503, "stopping", [])
                said = json.loads((await asyncio.to_thread(ask, watching.server.port))[1])
                doing, mute = said["doing"], {"host": "mute.example", "seconds": 47, "silences": 2}
                assert said["stuck"] == {"hosts": 1, "named": [mute]}
                assert doing.startswith("stopping") and doing.endswith("pages in hand: 2, polls in hand: 1")
            assert (await asyncio.to_thread(told, watching.server.port)) == (503, "stopping", [])
            with Recorder(store, archive=None, watcher=watching.metrics) as broken:
                watching.watch(Held(broken), in_hand=lambda: 0)
                broken._jobs.put(None)
                await asyncio.to_thread(broken._thread.join)
                assert (await asyncio.to_thread(told, watching.server.port))[2] == ["writer_ended"]

    asyncio.run(run())


def test_an_address_that_was_asked_for_must_be_there_and_the_default_need_not(settings, store, monkeypatch):
    taken = HttpServer(("127.0.0.1", 0), {})
    taken.start()
    address = f"127.0.0.1:{taken.port}"

    async def enter(service: ServiceSettings) -> Watching:
        async with Watching(settings.model_copy(update={"service": service}), store, software="morgue") as entered:
            return entered

    with pytest.raises(HttpUnavailable, match=f"{address} cannot be listened on"):
        asyncio.run(enter(ServiceSettings(http=address)))
    by_default = ServiceSettings.model_construct(
        _fields_set=set(), **{**ServiceSettings().model_dump(), "http": address}
    )
    with capture_logs() as lines:
        assert asyncio.run(enter(by_default)).server is None
    assert [line["event"] for line in lines] == ["http_unavailable"]
    assert asyncio.run(enter(ServiceSettings(http="off"))).server is None
    taken.stop()


def test_warnings_that_stand_are_told_until_they_end(settings, store):
    warning = StandingWarning(
        source="courier", kind=WarningKind.NO_ARTICLES, subject=None, sentence="No articles.", since=utc_now()
    )
    of_service = StandingWarning(
        source=None, kind=WarningKind.DISK_LOW, subject="/srv", sentence="Little room.", since=utc_now()
    )

    async def run() -> None:
        async with Watching(settings, store, software="morgue/1.2.3") as watching:
            for standing, value in (([warning, of_service], "1.0"), ([], "0.0")):
                with store.writing() as transaction:
                    keep_warnings(transaction, standing, utc_now())
                await watching.refresh()
                told = watching.metrics.exposition().decode()
                assert f'\nmorgue_source_warning{{kind="no_articles",source="courier"}} {value}\n' in told
                assert f'\nmorgue_service_warning{{kind="disk_low"}} {value}\n' in told
                assert "/srv" not in told

    asyncio.run(run())
