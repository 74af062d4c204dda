"""How well and how fast pages are read, beside plain trafilatura in the same run.

    python -m tests.benchmarks.extraction_quality [CORPORA] [--sets aeb fundus] [--worst 10] [--predictions FOLDER]

CORPORA (default: the variable MORGUE_CORPORA) holds folders with a `truth.jsonl` of rows
`{"id","url","html_path","title","authors","published","language","body","extra"}` and gzipped pages.

body      4-token shingles with multiplicity; precision and recall are means over pages, F1 is made of these two means
headline  equal after folding quotation marks, dashes, case and white space
authors   F1 over names of pages whose truth names any
published same calendar day as written
lost      pages that plain trafilatura gives a body for, and we do not
ms        processor time a page
"""

import argparse
import gzip
import json
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trafilatura import bare_extraction

from crawler.extraction import decode_html, extract
from crawler.extraction.command import reading_row
from crawler.extraction.text import folded
from storage.clock import utc_now

Row = dict[str, Any]
_TOKEN = re.compile(r"\w+")
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


def read_plainly(html: str, url: str) -> Row:
    """Return what trafilatura alone makes of a page."""
    document = bare_extraction(html, url=url, with_metadata=True, include_comments=False)
    if document is None:
        return {}
    return {
        "headline": document.title,
        "authors": [name.strip() for name in (document.author or "").split(";") if name.strip()],
        "published_local": document.date,
        "language": document.language,
        "body": document.text,
    }


def read_with_morgue(html: str, url: str) -> Row:
    """Return what our extractor makes of a page."""
    return reading_row(extract(html, url=url, timezone=None, captured_at=utc_now(), extractor="benchmark"))


def shingles(text: str | None) -> Counter[tuple[str, ...]]:
    """Return the runs of four tokens of a text, with how often each comes."""
    tokens = _TOKEN.findall((text or "").translate(_INVISIBLE))
    return Counter(tuple(tokens[i : i + 4]) for i in range(max(1, len(tokens) - 3)) if tokens)


def wanted_body(truth: Row, body: str | None) -> str:
    """Return the true body; a paragraph marked optional counts only where the reading has most of it."""
    extra = truth.get("extra") or {}
    if not extra.get("optional"):
        return str(truth["body"])
    have = shingles(body)
    kept = []
    for place, paragraph in enumerate(extra["paragraphs"]):
        wanted = shingles(paragraph)
        if place not in extra["optional"] or 2 * (wanted & have).total() >= wanted.total():
            kept.append(paragraph)
    return "\n\n".join(kept)


def snippet_scores(truths: dict[str, Row], rows: dict[str, Row]) -> str:
    """Return the F1 over snippets that must stay and must not, of truths that are given as such."""
    counts: Counter[str] = Counter()
    for key, truth in truths.items():
        extra = truth.get("extra") or {}
        body = " ".join((rows[key].get("body") or "").split())
        for wanted, name in ((True, "with"), (False, "without")):
            for snippet in extra.get(name, ()):
                counts[f"{wanted}{' '.join(snippet.split()) in body}"] += 1
    if not counts["TrueTrue"]:
        return "-"
    return f"{2 * counts['TrueTrue'] / (2 * counts['TrueTrue'] + counts['FalseTrue'] + counts['TrueFalse']):.4f}"


def body_scores(truths: dict[str, Row], rows: dict[str, Row]) -> tuple[list[str], dict[str, float]]:
    """Return F1, precision and recall of the bodies as text, and each page's own F1."""
    precisions, recalls, pages = [], [], {}
    for key, truth in truths.items():
        if not truth.get("body"):
            continue
        body = rows[key].get("body")
        wanted, have = shingles(wanted_body(truth, body)), shingles(body)
        both = (wanted & have).total()
        precision, recall = both / have.total() if have else 0.0, both / wanted.total() if wanted else 1.0
        precisions.extend([precision] if have else [])
        recalls.append(recall)
        pages[key] = _f1(precision, recall)
    if not recalls:
        return ["-", "-", "-"], pages
    precision, recall = statistics.mean(precisions or [0.0]), statistics.mean(recalls)
    return [f"{value:.4f}" for value in (_f1(precision, recall), precision, recall)], pages


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def field_scores(truths: dict[str, Row], rows: dict[str, Row]) -> list[str]:
    """Return the scores of headline, authors, day of publication and language."""
    headlines = [folded(t["title"]) == folded(rows[k].get("headline")) for k, t in truths.items() if t.get("title")]
    days = [
        str(t["published"])[:10] == (rows[k].get("published_local") or "")[:10]
        for k, t in truths.items()
        if t.get("published")
    ]
    languages = [t["language"][:2] == rows[k].get("language") for k, t in truths.items() if t.get("language")]
    right = named = wanted = 0
    for key, truth in truths.items():
        if truth.get("authors"):
            true = {folded(name) for name in truth["authors"]}
            have = {folded(name) for name in rows[key].get("authors") or ()}
            right, named, wanted = right + len(true & have), named + len(have), wanted + len(true)
    authors = f"{2 * right / (named + wanted):.3f}" if wanted else "-"
    return [_share(headlines), authors, _share(days), _share(languages)]


def _share(hits: list[bool]) -> str:
    return f"{statistics.mean(hits):.3f}" if hits else "-"


def run(folder: Path, truths: dict[str, Row], read: Callable[[str, str], Row]) -> tuple[dict[str, Row], float]:
    """Return the rows that a reader makes of a set's pages, and its milliseconds a page."""
    rows, spent = {}, 0.0
    for key, truth in truths.items():
        body = gzip.decompress((folder / truth["html_path"]).read_bytes())
        began = time.process_time()
        rows[key] = read(decode_html(body, content_type=None), truth["url"] or "")
        spent += time.process_time() - began
    return rows, 1000 * spent / max(1, len(truths))


def measure(folder: Path, *, worst: int, predictions: Path | None) -> None:
    """Print the lines of one set."""
    with (folder / "truth.jsonl").open(encoding="utf-8") as lines:
        truths = {row["id"]: row for row in map(json.loads, lines)}
    plain: dict[str, Row] = {}
    plain_pages: dict[str, float] = {}
    for name, read in (("trafilatura", read_plainly), ("morgue", read_with_morgue)):
        rows, milliseconds = run(folder, truths, read)
        scores, pages = body_scores(truths, rows)
        plain = plain or rows
        lost = [key for key, row in rows.items() if plain[key].get("body") and not row.get("body")]
        cells = [
            *scores,
            snippet_scores(truths, rows),
            *field_scores(truths, rows),
            str(len(lost)),
            f"{milliseconds:.1f}",
        ]
        print("| " + " | ".join([f"{folder.name} ({len(truths)})", name, *cells]) + " |", flush=True)
        if predictions is not None:
            path = predictions / f"{folder.name}-{name}.jsonl"
            path.write_text("".join(json.dumps({"id": k, **r}) + "\n" for k, r in rows.items()), encoding="utf-8")
        if worst and plain_pages:
            by_loss = sorted(pages, key=lambda key: pages[key] - plain_pages[key])
            for key in [*lost, *by_loss[:worst]]:
                print(
                    f"  {pages.get(key, 0):.3f} was {plain_pages.get(key, 0):.3f} {key} {truths[key]['url']}",
                    file=sys.stderr,
                )
        plain_pages = plain_pages or pages


def main() -> None:
    """Run both readers over the sets and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, nargs="?", default=os.environ.get("MORGUE_CORPORA"))
    parser.add_argument("--sets", nargs="+", default=["aeb", "fundus", "fundus_eval"])
    parser.add_argument(
        "--worst", type=int, default=0, help="also name so many pages that lost most against trafilatura"
    )
    parser.add_argument("--predictions", type=Path, help="also write the rows into this folder")
    arguments = parser.parse_args()
    if arguments.corpora is None:
        parser.error("name the folder of the corpora, or set MORGUE_CORPORA")
    heads = ("set", "extractor", "F1", "precision", "recall", "snippets", "headline", "authors")
    heads += ("published", "language", "lost", "ms")
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for name in arguments.sets:
        measure(Path(arguments.corpora) / name, worst=arguments.worst, predictions=arguments.predictions)


if __name__ == "__main__":
    main()
