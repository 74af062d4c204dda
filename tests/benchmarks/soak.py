"""Does the service's memory stay flat? `python -m tests.benchmarks.soak [--fetches 100000] [--database URL]`.

The real `morgue run` asks forty publishers on loopback, without pauses, for what is mostly unchanged. Memory is the
proportional set size (PSS) of the main process, the median of ten samples, and beside it that of the pool's workers;
work is the processor time of the main process for a thousand fetches, which a busy machine hardly changes. It fails
where memory or open files after all fetches are more than 5 % above those after a fifth of them, or where the last
fetches cost much more work than those after that fifth.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.soak_server import SoakServer
from tests.morgue_command import command, environment

PUBLISHERS = 40
STEPS = 5
SAMPLES = 10
MOST_GROWTH = 1.05
MOST_WORK = 1.3
CONFIGURATION = """\
[database]
url = "{database}"
[archive]
directory = "archive"
[crawl]
user_agent = "morgue-soak/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = 0
processes = 1
concurrency = 32
requests_per_host_per_day = 0
[service]
http = "off"
max_memory = "none"
"""
SOURCE = """\
[[source]]
slug = "soak-{number}"
feeds = ["http://127.1.0.{number}:{port}/feed.rss"]
poll = "10s"
recrawl = "1s"
"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the service takes after so many fetches; sizes in bytes, times in seconds since the start."""

    fetches: int
    at: float
    work_seconds: float
    main: float
    workers: float
    files: float


def pss(pid: int) -> int:
    """Return the proportional set size of a process, 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and those that they did."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += map(int, (task / "children").read_text(encoding="ascii").split())
    return [*children, *(one for child in children for one in descendants(child))]


def work_seconds(pid: int) -> float:
    """Return the processor time that a process took itself."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(pid: int, server: SoakServer, *, began: float) -> Sample:
    """Return the medians of ten samples in about ten seconds; the work is that before them."""
    fetches, at, work = server.asked, time.monotonic() - began, work_seconds(pid)
    main, workers, files = [], [], []
    for _ in range(SAMPLES):
        main.append(pss(pid))
        workers.append(sum(map(pss, descendants(pid))))
        files.append(len(list(Path(f"/proc/{pid}/fd").iterdir())))
        time.sleep(1.0)
    median = statistics.median
    return Sample(
        fetches=fetches, at=at, work_seconds=work, main=median(main), workers=median(workers), files=median(files)
    )


def soak(folder: Path, *, fetches: int, database: str) -> list[Sample]:
    """Run the service for so many fetches; return what it took after each fifth of them."""
    with SoakServer() as server, (folder / "service.log").open("wb") as log:
        sources = "".join(SOURCE.format(number=number + 1, port=server.port) for number in range(PUBLISHERS))
        (folder / "morgue.toml").write_text(CONFIGURATION.format(database=database) + sources, encoding="utf-8")
        service = subprocess.Popen(command(folder, "run"), env=environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            return _samples(service, server, fetches)
        finally:
            service.terminate()
            service.wait(60)


def _samples(service: "subprocess.Popen[bytes]", server: SoakServer, fetches: int) -> list[Sample]:
    samples: list[Sample] = []
    began = time.monotonic()
    for step in range(1, STEPS + 1):
        while server.asked < fetches * step // STEPS:
            if service.poll() is not None:
                raise SystemExit(f"the service ended with {service.returncode}")
            time.sleep(0.1)
        samples.append(measure(service.pid, server, began=began))
        print(_row(samples), flush=True)
    return samples


def _row(samples: Sequence[Sample]) -> str:
    last = samples[-1]
    before = samples[-2] if len(samples) > 1 else Sample(fetches=0, at=0, work_seconds=0, main=0, workers=0, files=0)
    done = last.fetches - before.fetches
    return (
        f"{last.fetches:>8} fetches {last.at:>7.0f} s {done / (last.at - before.at):>6.0f}/s "
        f"{1000 * (last.work_seconds - before.work_seconds) / done:>6.2f} s/1000 "
        f"main {last.main / 2**20:>7.1f} MiB  workers {last.workers / 2**20:>7.1f} MiB  files {last.files:>4.0f}"
    )


def misses(samples: Sequence[Sample]) -> list[str]:
    """Return in which ways the service took more at the end than after the first fifth."""
    first, second, *_, before, last = samples
    work = [(b.work_seconds - a.work_seconds) / (b.fetches - a.fetches) for a, b in ((first, second), (before, last))]
    growth = {
        "memory": (last.main / first.main, MOST_GROWTH),
        "open files": (last.files / first.files, MOST_GROWTH),
        "work for a fetch": (work[1] / work[0], MOST_WORK),
    }
    return [f"{name} grew to {ratio:.2f} times" for name, (ratio, most) in growth.items() if ratio > most]


def main() -> int:
    """Soak, print the table, and return 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fetches", type=int, default=100_000)
    parser.add_argument("--database", help="a URL; a new SQLite file without it")
    parser.add_argument("--keep", type=Path, help="an empty folder for the configuration, archive and log")
    chosen = parser.parse_args()
    folder = Path(chosen.keep or tempfile.mkdtemp(prefix="morgue-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        samples = soak(folder, fetches=chosen.fetches, database=chosen.database or f"sqlite:///{folder / 'morgue.db'}")
    finally:
        if not chosen.keep:
            shutil.rmtree(folder)
    found = misses(samples)
    growth = samples[-1].main / samples[0].main - 1
    print(f"memory of the main process: {growth:+.1%}; open files {samples[0].files:.0f} → {samples[-1].files:.0f}")
    print("\n".join(found) or "flat")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
