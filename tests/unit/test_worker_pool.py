"""No input stops the pool: neither one that holds up its reader, nor one that ends it, nor one that fails."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import structlog

import crawler.worker_pool as pool_module
from crawler.worker_pool import FairQueue, Kind, PoolStopped, WorkerPool, WorkFailed, _Job
from storage.errors import ExtractionUnavailable


def misbehave(order: str, argument: str = "") -> str:
    """Do what the order says, and return the process's id."""
    match order:
        case "hang":
            time.sleep(600)
        case "backtrack":
            # In C, and so deaf to signals that are handled in Python.
            re.match(r"(a|aa)+$", "a" * 60 + "b")
        case "sleep":
            time.sleep(float(argument))
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            raise ZeroDivisionError("by this page")
        case "eat":
            return "x" * (1 << 40)
        case "crash-once":
            if not Path(argument).exists():
                Path(argument).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case "terminated":
            Path(argument).touch()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(600)
        case "no-files":
            raise OSError(24, "Too many open files")
    return str(os.getpid())


def run(*orders: tuple[str, ...], owners: str = "", **settings) -> list:
    """Have orders done side by side, each for an owner of its own unless `owners` names them by letters."""

    async def all_of_them() -> list:
        async with WorkerPool(processes=2, **settings) as pool:
            return await asyncio.gather(
                *(
                    pool.run(misbehave, *order, owner=(owners or "abcdefgh")[place], kind=Kind.PAGE)
                    for place, order in enumerate(orders)
                ),
                return_exceptions=True,
            )

    return asyncio.run(all_of_them())


def reason_of(problem: object) -> str:
    assert isinstance(problem, WorkFailed), problem
    return problem.reason


def test_work_is_done_in_other_processes():
    (pid,) = run(("pid",))
    assert int(pid) != os.getpid()


def test_what_crashes_or_fails_costs_only_itself():
    crashed, failed, eaten, good = run(("crash",), ("fail",), ("eat",), ("pid",))
    assert [reason_of(crashed), reason_of(failed), reason_of(eaten)] == ["crash", "ZeroDivisionError", "memory"]
    assert int(good)


@pytest.mark.parametrize("order", ["hang", "backtrack"])
def test_what_takes_too_long_is_ended_at_once(order):
    begun = time.monotonic()
    hung, good = run((order,), ("pid",), timeout_seconds=2.0)
    assert reason_of(hung) == "timeout"
    assert int(good)
    # Twice at most, and nobody waits for a process that doesn't heed a signal.
    assert time.monotonic() - begun < 20


def test_work_is_tried_once_more_in_a_fresh_process(tmp_path):
    (pid,) = run(("crash-once", str(tmp_path / "seen")))
    assert int(pid)


def test_work_that_takes_long_is_begun_anew_where_it_holds_up_nobody():
    (pid,) = run(("sleep", "1.5"), timeout_seconds=4.0)
    assert int(pid)


def test_slow_work_of_one_owner_keeps_nobody_waiting():
    async def slow_work_done_before_the_good() -> int:
        # What is slow has both processes for a quarter of its time, and is begun again apart from them.
        async with WorkerPool(processes=2, timeout_seconds=24.0) as pool:
            slow = [asyncio.create_task(pool.run(misbehave, "hang", owner="slow", kind=Kind.PAGE)) for _ in range(8)]
            await asyncio.sleep(0.5)
            for _ in range(20):
                await pool.run(misbehave, "pid", owner="good", kind=Kind.PAGE)
            done = sum(task.done() for task in slow)
            for task in slow:
                task.cancel()
            return done

    assert asyncio.run(slow_work_done_before_the_good()) == 0


def test_short_work_does_not_wait_behind_pages():
    async def pages_done_before_the_short_work() -> int:
        async with WorkerPool(processes=1, timeout_seconds=240.0) as pool:
            pages = [
                asyncio.create_task(pool.run(misbehave, "sleep", "60", owner=owner, kind=Kind.PAGE)) for owner in "abc"
            ]
            await asyncio.sleep(0.5)
            await pool.run(misbehave, "pid", owner="d", kind=Kind.SHORT)
            done = sum(page.done() for page in pages)
            for page in pages:
                page.cancel()
            return done

    assert asyncio.run(pages_done_before_the_short_work()) == 0


def test_a_long_sitemap_does_not_make_the_feeds_of_its_publisher_wait_behind_what_hangs():
    async def hung_work_done_before_the_feed() -> int:
        async with WorkerPool(processes=1, timeout_seconds=20.0) as pool:
            hung = [asyncio.create_task(pool.run(misbehave, "hang", owner=owner)) for owner in "abcd"]
            sitemap = pool.run(misbehave, "sleep", "3", owner="good", about="https://good.example/sitemap.xml")
            hung.append(asyncio.create_task(sitemap))
            await asyncio.sleep(12)  # by then each was begun apart, where there is room for two
            for _ in range(5):
                await pool.run(misbehave, "pid", owner="good", about="https://good.example/feed")
            done = sum(task.done() for task in hung)
            for task in hung:
                task.cancel()
            return done

    assert asyncio.run(hung_work_done_before_the_feed()) == 0


def test_an_owner_with_much_that_takes_long_begins_all_of_it_apart():
    async def pieces_that_began_among_others() -> list[str]:
        with structlog.testing.capture_logs() as logs:
            async with WorkerPool(processes=1, timeout_seconds=0.5) as pool:
                for number in range(8):
                    with contextlib.suppress(WorkFailed):
                        await pool.run(misbehave, "sleep", "0.2", owner="slow", about=f"/{number}")
        return [entry["event"] for entry in logs if entry["event"] == "work_begun_apart"]

    assert len(asyncio.run(pieces_that_began_among_others())) == pool_module.MOST_SLOW_PIECES


def test_workers_ended_while_stopping_say_nothing_about_their_work(tmp_path):
    async def stop_under_load() -> None:
        async with WorkerPool(processes=1) as pool:
            pool.announce_stop()
            await pool.run(misbehave, "terminated", str(tmp_path / "seen"), owner="a")

    with pytest.raises(PoolStopped):
        asyncio.run(stop_under_load())
    assert (tmp_path / "seen").exists()


def test_the_pool_goes_on_when_idle_workers_are_killed():
    async def kill_and_work() -> list[str]:
        async with WorkerPool(processes=2) as pool:
            pid = int(await pool.run(misbehave, "pid", owner="a", kind=Kind.PAGE))
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)
            return await asyncio.gather(*(pool.run(misbehave, "pid", owner="a", kind=Kind.PAGE) for _ in range(4)))

    assert all(map(int, asyncio.run(kill_and_work())))


def test_a_process_is_replaced_after_so_many_tasks():
    async def pids() -> list[str]:
        async with WorkerPool(processes=1, max_tasks=2) as pool:
            return [await pool.run(misbehave, "pid", owner="a", kind=Kind.PAGE) for _ in range(4)]

    first, second, third, fourth = asyncio.run(pids())
    assert first == second
    assert second != third
    assert third == fourth


def fail_to_start(max_memory_bytes: int | None) -> None:
    """Stand in for what prepares a worker, on a machine that lets none live."""
    raise OSError("no more processes")


def test_workers_that_cannot_start_are_not_the_inputs_fault(monkeypatch):
    monkeypatch.setattr(pool_module, "_serve", fail_to_start)
    (problem,) = run(("pid",))
    assert isinstance(problem, ExtractionUnavailable)
    assert "cannot be started" in str(problem)


def test_a_shortage_within_a_worker_is_not_the_inputs_fault():
    (problem,) = run(("no-files",))
    assert isinstance(problem, ExtractionUnavailable)
    assert "Too many open files" in str(problem)


def test_closing_ends_work_that_is_being_done():
    async def close_under_load() -> list[object]:
        pool = WorkerPool(processes=1)
        work = [asyncio.create_task(pool.run(misbehave, "hang", owner="a", kind=Kind.PAGE)) for _ in range(3)]
        await asyncio.sleep(1)
        await pool.close()
        return await asyncio.gather(*work, return_exceptions=True)

    assert [type(problem) for problem in asyncio.run(close_under_load())] == [PoolStopped] * 3


def test_a_probe_starts_a_process_and_says_where_none_can_be(monkeypatch):
    async def probe() -> None:
        async with WorkerPool(processes=1) as pool:
            await asyncio.to_thread(pool.probe)

    asyncio.run(probe())
    monkeypatch.setattr(pool_module._Process, "_start", _no_process)
    with pytest.raises(ExtractionUnavailable):
        asyncio.run(probe())


def _no_process(self):
    raise OSError(11, "Resource temporarily unavailable")


def test_work_that_nobody_ends_any_more_is_ended_by_the_system():
    """As where the process that would end it was killed."""
    code = "from crawler import worker_pool as p; p.ORPHANED_SECONDS = 0.2; p._bound_computing(0.3)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert -done.returncode in {signal.SIGXCPU, signal.SIGKILL}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(owner: str) -> _Job:
    return _Job(asked=b"", owner=owner, seconds=1.0)


def test_owners_take_turns():
    queue = FairQueue(2)
    for owner in "aaabbc":
        queue.put(job(owner))
    assert "".join(queue.take().owner for _ in range(6)) == "abcaba"


def test_an_owner_whose_work_takes_long_leaves_places_to_others():
    clock = Clock()
    queue = FairQueue(4, clock=clock)
    for _ in range(6):
        queue.put(job("slow"))
    begun = [queue.take() for _ in range(2)]
    clock.now = 5.0
    queue.put(job("good"))
    assert queue.take().owner == "good"
    queue.finished(begun[0])
    assert queue.take().owner == "slow"
