"""What `morgue extract` gives out."""

import gzip
import json

from crawler.extraction.command import extract_batch, extract_file
from tests.unit.extraction.pages import CAPTURED_AT, FIXTURES, STORY, page

URL = "https://www.courier.example/city/2023/mar/07/harbour-bridge-to-close-88121.html"


def test_a_row_has_every_field_and_is_json():
    html = (FIXTURES / "every_trap.html").read_bytes()
    row = extract_file(html, url=URL, timezone="Asia/Kolkata", captured_at=CAPTURED_AT)
    assert json.loads(json.dumps(row)) == row
    assert row["published_at"] == "2023-03-07T15:35:00+00:00"
    assert row["outcome"] is None
    assert {"headline", "standfirst", "byline", "authors", "tags", "access", "modified_local", "extractor"} <= set(row)


def test_a_page_without_an_article_has_the_same_fields():
    article = extract_file(page().encode(), url=URL, timezone=None, captured_at=CAPTURED_AT)
    nothing = extract_file(b"", url=URL, timezone=None, captured_at=CAPTURED_AT)
    assert set(article) == set(nothing)
    assert (nothing["body"], nothing["authors"], nothing["outcome"], nothing["reason"]) == (
        None,
        [],
        "not_article",
        "empty",
    )


def test_a_batch_keeps_its_order_and_goes_on_after_errors(tmp_path):
    (tmp_path / "html").mkdir()
    rows = []
    for number in range(12):
        body = page(above=f"<h1>Headline {number}</h1>").encode()
        (tmp_path / "html" / f"{number}.html.gz").write_bytes(gzip.compress(body))
        rows.append(json.dumps({"id": number, "url": URL, "html_path": f"html/{number}.html.gz"}))
    (tmp_path / "html" / "torn.html.gz").write_bytes(gzip.compress(page().encode())[:60])
    rows[3:3] = [
        json.dumps({"id": "missing", "url": URL, "html_path": "html/none.html"}),
        "no json",
        json.dumps({"id": "torn", "url": URL, "html_path": "html/torn.html.gz"}),
        json.dumps({"id": "half"}),
        json.dumps({"id": "zone", "url": URL, "html_path": "html/0.html.gz", "timezone": "Mars/Olympus"}),
    ]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    out = list(extract_batch(manifest, processes=2))
    good = [row for row in out if "error" not in row]
    assert [row["id"] for row in good] == list(range(12))
    assert all(row["body"] == "\n\n".join(STORY) for row in good)
    assert [row["id"] for row in out if "error" in row] == ["missing", None, "torn", "half", "zone"]
    assert [row["id"] for row in out][3] == "missing"
