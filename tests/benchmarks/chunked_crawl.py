"""Crawls a sitemap of many chunked pages over connections that stay open, from a real server.

    python -m tests.benchmarks.chunked_crawl [--pages 10000] [--tls]

The server is Node's own http. Prints what became of the pages, how many connections they came on, and pages a second;
exits with 1 where one of them was not archived.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.morgue_command import MORGUE
from tests.real_servers import pages
from tests.real_servers.archived import USER_AGENT, surroundings
from tests.real_servers.comparing import Stage, make_stage
from tests.real_servers.node import Node
from tests.real_servers.server import Running, running

SITEMAP_PAGES = 1_000
PAGE_BYTES = 3_000
LONGEST_SECONDS_A_PAGE = 2.0
"""Ten times what it takes on a machine with a lot to do: only a crawl that hangs takes as long."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of the pages. `ended` is False where the crawl had to be stopped; `outcomes` counts by outcome."""

    pages: int
    ended: bool
    outcomes: dict[str, int]
    connections: int
    requests: int
    seconds: float
    said: str

    @property
    def right(self) -> bool:
        """Whether each page was archived."""
        return self.ended and self.outcomes == {"created": self.pages}


def chunked_crawl(folder: Path, *, number: int, tls: bool) -> Result:
    """Crawl so many pages of a site in a folder."""
    folder.chmod(0o755)
    stage = make_stage(folder)
    with running(Node(), folder / "node", site=stage.site, certificates=stage.certificates) as server:
        _publish(server, stage.site, number=number, tls=tls)
        started = time.monotonic()
        ended, said = _crawl(
            folder / "morgue", server.url("/sitemap.xml", tls=tls), stage, patience=60 + number * LONGEST_SECONDS_A_PAGE
        )
        seconds = time.monotonic() - started
        asked = [request for request in server.requests() if request.user_agent == USER_AGENT]
    with sqlite3.connect(folder / "morgue" / "morgue.db") as database:
        found = database.execute("SELECT outcome, count(*) FROM fetches_v1 WHERE kind = 'page' GROUP BY outcome")
        outcomes = dict(found.fetchall())
    database.close()
    return Result(
        pages=number,
        ended=ended,
        outcomes=outcomes,
        connections=len({request.client_port for request in asked}),
        requests=len(asked),
        seconds=seconds,
        said=said,
    )


def _publish(server: Running, site: Path, *, number: int, tls: bool) -> None:
    """Write the stories and an index of sitemaps that list them."""
    paths = [f"/chunked/2026/11/{each // 500:03}/story-{each:06}.html" for each in range(number)]
    for path in paths:
        file = site / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pages.story(path, size=PAGE_BYTES))
    namespace = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    parts: list[str] = []
    for start in range(0, number, SITEMAP_PAGES):
        name = f"/sitemap-{start // SITEMAP_PAGES}.xml"
        urls = "".join(
            f"<url><loc>{server.url(path, tls=tls)}</loc></url>" for path in paths[start : start + SITEMAP_PAGES]
        )
        (site / name.lstrip("/")).write_text(f"<urlset {namespace}>{urls}</urlset>")
        parts.append(f"<sitemap><loc>{server.url(name, tls=tls)}</loc></sitemap>")
    (site / "sitemap.xml").write_text(f"<sitemapindex {namespace}>{''.join(parts)}</sitemapindex>")


def _crawl(folder: Path, url: str, stage: Stage, *, patience: float) -> tuple[bool, str]:
    folder.mkdir()
    process = subprocess.Popen(
        [MORGUE, "crawl", url],
        cwd=folder,
        env=surroundings(stage.trusted, {"MORGUE_CRAWL__REQUESTS_PER_HOST_PER_DAY": "0"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        return False, said.decode(errors="replace")
    return True, said.decode(errors="replace")


def main() -> int:
    """Print what became of the pages; return 1 where one was not archived."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.chunked_crawl", description=__doc__)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--tls", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morgue-chunked-") as folder:
        result = chunked_crawl(Path(folder), number=given.pages, tls=given.tls)
    print(result.said)
    print(f"Node {Node.version()}, {'TLS' if given.tls else 'plain'}, {os.cpu_count()} cores")
    print(f"{result.pages} pages: {result.outcomes}; {'ended' if result.ended else 'HUNG'}")
    print(f"{result.requests} requests on {result.connections} connections")
    print(f"{result.seconds:.1f} s, {result.pages / result.seconds:.1f} pages/s")
    return 0 if result.right else 1


if __name__ == "__main__":
    sys.exit(main())
