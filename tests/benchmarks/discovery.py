"""How much of a publisher is found, and at what cost: the main job beside the installed trafilatura command.

    python -m tests.benchmarks.discovery [--articles 5000] [--style dated|numbered] [--limit N]

Starts the made-up publisher (`tests.publisher`), gives its home page to `morgue crawl` in a fresh folder, and prints
for one run on one machine: articles found, precision (of what is stored, the share that are articles), recall, and
requests by kind and per article. Then the same figures for the addresses that `trafilatura --crawl`, `--sitemap` and
`--feed` list. It only lists, and its crawl ends after thirty pages by its own choice: the figures compare what each
command comes to by itself. It takes no address of this machine for a web address, so it is run with the publisher
under a name that resolves to it, without its pause between requests.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from crawler.urls import url_key
from storage.store import Store
from tests.morgue_command import command, environment
from tests.publisher import Publisher
from tests.publisher_stock import Style

CONFIGURATION = """\
[database]
url = "sqlite:///morgue.db"
[archive]
directory = "archive"
[crawl]
user_agent = "morgue-benchmark/1 (+mailto:tests@example.org)"
allow_private_addresses = true
delay_seconds = 0
"""
NAME = "tidings.example.com"
LISTING = f"""
import socket
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **named: resolve("127.0.0.1" if host == "{NAME}" else host, *rest, **named)
from trafilatura.cli import main
main()
"""


def crawl_with_morgue(publisher: Publisher, folder: Path, limit: int | None) -> tuple[list[str], dict[str, int]]:
    """Run the main job on the home page; returns the URLs of the stored articles and the crawl's own outcomes."""
    (folder / "morgue.toml").write_text(CONFIGURATION)
    words = ["crawl", publisher.url("/"), "--json", *(["--limit", str(limit)] if limit else [])]
    finished = subprocess.run(
        command(folder, *words),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        check=False,
        text=True,
    )
    if finished.returncode not in (0, 1) or not finished.stdout:
        raise SystemExit(f"morgue crawl ended with {finished.returncode}: {(folder / 'log').read_text()[-2000:]}")
    said = json.loads(finished.stdout)
    with Store.open(f"sqlite:///{folder / 'morgue.db'}") as store, store.reading() as transaction:
        articles = transaction.versions.articles(limit=1_000_000)
    return [article.url for article in articles], said.get("outcomes", {})


def list_with_trafilatura(publisher: Publisher, mode: str, folder: Path) -> list[str]:
    """Return what trafilatura lists for the home page."""
    from trafilatura.settings import DEFAULT_CONFIG

    settings = folder / "trafilatura.cfg"
    with settings.open("w") as file:
        DEFAULT_CONFIG.write(file)
    text = settings.read_text().replace("ssrf_protection = on", "ssrf_protection = off")
    settings.write_text(text.replace("sleep_time = 5.0", "sleep_time = 0"))
    words = [mode, publisher.url("/"), "--list", "--config-file", str(settings)]
    finished = subprocess.run(
        [sys.executable, "-c", LISTING, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    return finished.stdout.split()


def report(label: str, publisher: Publisher, found: Iterable[str], asked: Counter[str], seconds: float) -> None:
    """Print the figures of one way to find articles."""
    keys = {url_key(url) for url in found}
    articles = {url_key(url) for url in publisher.article_urls}
    right = keys & articles
    wrong = Counter(publisher.kind_of(f"http://{key}") for key in keys - articles)
    requests = sum(asked.values())
    print(f"{label}: {len(keys)} found in {seconds:.0f} s, {len(right)} of {len(articles)} articles")
    print(f"  precision {len(right) / max(1, len(keys)):.4f}, recall {len(right) / len(articles):.4f}")
    print(f"  requests {requests} ({requests / max(1, len(right)):.2f} an article): {dict(asked.most_common())}")
    if wrong:
        print(f"  no articles: {dict(wrong.most_common())}")
    for place in ("feeds", "sitemap", "sections"):
        only = publisher.only_in(place)
        missed = sum(1 for url in only if url_key(url) not in keys)
        print(f"  of {len(only)} articles that only {place} list, missed {missed}")


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=5_000)
    parser.add_argument("--style", type=Style, default=Style.DATED, choices=list(Style))
    parser.add_argument("--limit", type=int, help="given to morgue crawl")
    arguments = parser.parse_args()
    print(f"{arguments.articles} articles, {arguments.style} addresses")
    with (
        tempfile.TemporaryDirectory() as folder,
        Publisher(articles=arguments.articles, style=arguments.style) as publisher,
    ):
        started = time.perf_counter()
        found, outcomes = crawl_with_morgue(publisher, Path(folder), arguments.limit)
        seconds = time.perf_counter() - started
        report("morgue crawl", publisher, found, publisher.requests_by_kind(), seconds)
        print(f"  outcomes {outcomes}")
        forbidden = [request.target for request in publisher.requests if publisher.forbids(request.path)]
        print(f"  requests to what robots.txt forbids: {len(forbidden)}")
    for mode in ("--crawl", "--sitemap", "--feed"):
        with (
            tempfile.TemporaryDirectory() as folder,
            Publisher(articles=arguments.articles, style=arguments.style, name=NAME) as publisher,
        ):
            started = time.perf_counter()
            found = list_with_trafilatura(publisher, mode, Path(folder))
            seconds = time.perf_counter() - started
            report(f"trafilatura {mode} --list", publisher, found, publisher.requests_by_kind(), seconds)


if __name__ == "__main__":
    main()
