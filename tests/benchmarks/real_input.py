"""The main job on real pages: a feed that lists a corpus, crawled once and again, beside what its parts cost alone.

    python -m tests.benchmarks.real_input CORPORA SCORE_SCRIPT [SET…]

CORPORA is a folder of sets (see `corpus_site`), SCORE_SCRIPT a program with `load`, `score` and `body_counts`
functions over `{"id", "body"}` rows. Prints, for one run on one machine: stored articles against the pages
that plain trafilatura can read, versions added by the recrawl, body F1 of both on each set, and pages a second of the
crawl, the recrawl, raw Scrapy and trafilatura alone.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from crawler.urls import url_key
from storage.store import Store
from tests.benchmarks.corpus_site import CorpusPage, corpus_site, load_pages
from tests.morgue_command import command, environment

CONFIGURATION = """\
[database]
url = "sqlite:///morgue.db"
[archive]
directory = "archive"
[crawl]
user_agent = "morgue-benchmark/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = {delay}
concurrency = 32
processes = {processes}
"""

RAW_SPIDER = """
import sys, scrapy
from scrapy.crawler import CrawlerProcess
class Raw(scrapy.Spider):
    name = "raw"
    async def start(self):
        for url in open(sys.argv[1]).read().split():
            yield scrapy.Request(url, dont_filter=True)
    def parse(self, response):
        pass
process = CrawlerProcess({"LOG_ENABLED": False, "CONCURRENT_REQUESTS": 32, "DOWNLOAD_DELAY": 0,
                          "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "RETRY_ENABLED": False,
                          "REMOTE_CONTROL_ENABLED": False, "TELNETCONSOLE_ENABLED": False})
process.crawl(Raw)
process.start()
"""


def read_plainly(page: tuple[bytes, str]) -> str | None:
    """Return the body that plain trafilatura reads, or None."""
    from trafilatura import bare_extraction

    html, url = page
    document = bare_extraction(html, url=url, with_metadata=True, include_comments=False)
    return document.text if document is not None and document.text else None


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns and the seconds that it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def morgue(folder: Path, *words: str) -> dict[str, Any]:
    """Run a morgue command with `--json` and return what it says."""
    finished = subprocess.run(
        command(folder, *words, "--json"),
        env=environment(),
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if finished.returncode not in (0, 1):
        raise SystemExit(f"morgue {' '.join(words)} ended with {finished.returncode}")
    return json.loads(finished.stdout)


def stored(folder: Path) -> tuple[dict[str, str], int]:
    """Return the bodies in the database by URL key, and the number of versions."""
    with Store.open(f"sqlite:///{folder / 'morgue.db'}") as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=1_000_000)
    return {url_key(a.url): a.content.body for a in articles}, sum(a.version_count for a in articles)


def f1(scorer: Any, rows: list[CorpusPage], bodies: dict[str, str | None]) -> float:
    """Return the body F1 of a set: the score of mean precision and mean recall, as the scorer defines it."""
    truth = {page.row["id"]: page.row for page in rows if page.row.get("body")}
    predictions = {page.row["id"]: {"id": page.row["id"], "body": bodies.get(page.url)} for page in rows}
    precisions, recalls = [], []
    for id_, row in truth.items():
        body = predictions[id_]["body"]
        found = scorer.body_counts(scorer.wanted_body(row, body), body)
        precision, recall, _ = scorer.prf(*found)
        if found[0] + found[1]:
            precisions.append(precision)
        recalls.append(recall)
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 2 * precision * recall / (precision + recall)


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("score_script", type=Path)
    parser.add_argument("sets", nargs="*", default=["aeb", "fundus", "fundus_eval"])
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("scorer", arguments.score_script)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{arguments.score_script} cannot be loaded")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    pages = load_pages(arguments.corpora, arguments.sets)
    with tempfile.TemporaryDirectory() as name, corpus_site(pages) as feed:
        folder = Path(name)
        settings = CONFIGURATION.format(delay=arguments.delay, processes=arguments.processes)
        (folder / "morgue.toml").write_text(settings)
        report(pages, feed, folder, scorer, arguments.processes)


def report(pages: list[CorpusPage], feed: str, folder: Path, scorer: Any, processes: int) -> None:
    """Do the work and print the figures."""
    first, first_seconds = timed(lambda: morgue(folder, "crawl", feed))
    bodies, versions = stored(folder)
    again, again_seconds = timed(lambda: morgue(folder, "crawl", "--recrawl", feed))
    _, versions_after = stored(folder)
    (folder / "urls").write_text("\n".join(page.url for page in pages))
    raw = [sys.executable, "-c", RAW_SPIDER, str(folder / "urls")]
    _, raw_seconds = timed(lambda: subprocess.run(raw, check=True))
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(read_plainly, [(pages[0].html, pages[0].url)] * processes))
        work = [(page.html, page.url) for page in pages]
        plain, plain_seconds = timed(lambda: list(pool.map(read_plainly, work)))

    readable = {url_key(page.url) for page, body in zip(pages, plain, strict=True) if body}
    missing = sorted(readable - bodies.keys())
    hosts = len({page.url.split("/")[2] for page in pages})
    print(f"{len(pages)} pages of {hosts} publishers; plain trafilatura reads {len(readable)}")
    print(f"first crawl: {first['outcomes']}; articles stored {len(bodies)}; readable but not stored {len(missing)}")
    for key in missing:
        print(f"  not stored: {key}")
    print(f"recrawl: {again['outcomes']}; versions {versions} before, {versions_after} after")
    ours = {page.url: bodies.get(url_key(page.url)) for page in pages}
    theirs = {page.url: body for page, body in zip(pages, plain, strict=True)}
    for name in dict.fromkeys(page.row["set"] for page in pages):
        rows = [page for page in pages if page.row["set"] == name]
        print(f"body F1 {name}: morgue {f1(scorer, rows, ours):.4f}, plain trafilatura {f1(scorer, rows, theirs):.4f}")
    for label, seconds in (
        ("first crawl", first_seconds),
        ("recrawl", again_seconds),
        ("raw Scrapy", raw_seconds),
        (f"trafilatura alone, {processes} processes", plain_seconds),
    ):
        print(f"pages/s {label}: {len(pages) / seconds:.1f}")


if __name__ == "__main__":
    main()
