"""The same address fetched again later: how often that makes a version, and what the difference is.

    python -m tests.benchmarks.recaptures CORPORA [--diffs]

The set `recaptures` holds groups of captures of one address, nearly all of one unchanged article. Each group is served
at one address, one capture after the other, and crawled after each change, as an entry of a feed: a home page that was
named would be followed.
"""

import argparse
import gzip
import json
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from storage.difference import SegmentKind, article_difference
from storage.store import Store
from tests.integration.crawls import Morgue
from tests.newsroom import Newsroom


def groups_of(corpora: Path) -> dict[str, list[bytes]]:
    """Return the captures of each group, in order."""
    groups: dict[str, list[bytes]] = {}
    for line in (corpora / "recaptures" / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        html = gzip.decompress((corpora / "recaptures" / row["html_path"]).read_bytes())
        groups.setdefault(row["extra"]["group"], []).append(html)
    return groups


def feed_of(urls: list[str]) -> str:
    """Return a feed that lists these addresses."""
    items = "".join(f"<item><link>{url}</link></item>" for url in urls)
    return f'<rss version="2.0"><channel><title>Captures</title>{items}</channel></rss>'


def main() -> None:
    """Crawl every group through its captures and print what became of the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--diffs", action="store_true", help="print what changed in each version")
    arguments = parser.parse_args()
    groups = groups_of(arguments.corpora)
    with (
        tempfile.TemporaryDirectory() as name,
        Newsroom() as newsroom,
        Store.open(f"sqlite:///{name}/morgue.db", create=True) as store,
    ):
        morgue = Morgue(store=store, folder=Path(name))
        outcomes: Counter[str] = Counter()
        for turn in range(max(map(len, groups.values()))):
            urls: list[str] = []
            for group, captures in groups.items():
                if turn < len(captures):
                    path = f"/{group.replace('/', '-')}.html"
                    newsroom.respond(path, status=200, headers={"Content-Type": "text/html"}, body=captures[turn])
                    urls.append(newsroom.url(path))
            newsroom.respond("/list.rss", headers={"Content-Type": "application/rss+xml"}, body=feed_of(urls))
            report = morgue.crawl(newsroom.url("/list.rss"), recrawl=True)
            if turn:
                outcomes.update(report.outcomes)
        print_versions(store, groups, outcomes, diffs=arguments.diffs)


def print_versions(store: Store, groups: dict[str, list[bytes]], outcomes: Counter[str], *, diffs: bool) -> None:
    """Print how many pairs made a version, and why."""
    pairs = sum(len(captures) - 1 for captures in groups.values())
    changes: Counter[str] = Counter()
    with store.reading() as transaction:
        for article in transaction.versions.articles(limit=10_000):
            history = transaction.versions.history(article.article_id)
            for older, newer in pairwise(history):
                changes[newer.change] += 1
                print(f"{article.url} v{newer.number}: {newer.change}")
                if diffs:
                    for difference in article_difference(older.article, newer.article):
                        parts = [
                            f"{s.kind}: {s.text.strip()[:200]!r}"
                            for s in difference.segments
                            if s.kind is not SegmentKind.EQUAL
                        ]
                        print(f"    {difference.field}: " + "; ".join(parts[:6]))
    print(f"{pairs} pairs; outcomes of the later captures: {dict(outcomes)}")
    print(f"{sum(changes.values())} pairs made a version: {dict(changes.most_common())}")


if __name__ == "__main__":
    main()
