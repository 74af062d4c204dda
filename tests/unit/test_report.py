"""What a crawl says of itself: what was fetched and what was not, and why a host is left alone."""

import io
from collections import Counter
from datetime import UTC, datetime

import pytest
from rich.console import Console

from crawler.crawl_account import CrawlReport
from crawler.politeness import HOST_SILENT, Hold
from crawler.report import print_report, report_row
from storage.host_turns import BUDGET_SPENT, HOST_ASKED_TO_WAIT, HOST_REFUSES

UNTIL = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def said(report):
    out = io.StringIO()
    print_report(Console(file=out, width=200, no_color=True), report)
    return out.getvalue()


def account(outcomes, reasons=None, held=None):
    return CrawlReport(outcomes=Counter(outcomes), reasons=Counter(reasons or {}), held=held or {})


@pytest.mark.parametrize("reason", [HOST_SILENT, BUDGET_SPENT, HOST_ASKED_TO_WAIT, HOST_REFUSES])
def test_what_was_never_asked_for_is_not_said_to_be_fetched(reason):
    report = account({"created": 2, "rate_limited": 3}, {reason: 2, "status_429": 1})
    assert "3 pages fetched: 2 created, 1 rate_limited; 2 not fetched: 2 rate_limited" in said(report)
    assert report_row(report)["fetched"] == 3


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (HOST_SILENT, "let several requests run into their time limits, and is left alone"),
        (BUDGET_SPENT, "was asked as often today as it may be, and is left alone"),
        (HOST_REFUSES, "refused one page after the other, and is left alone"),
        (HOST_ASKED_TO_WAIT, "asked to be left alone"),
    ],
)
def test_a_host_that_is_left_alone_is_named_with_the_reason(reason, words):
    told = said(account({"created": 1}, held={"slow.example": Hold(until=UNTIL, reason=reason)}))
    assert f"slow.example {words} until 2026-03-01 12:00" in told


@pytest.mark.parametrize(
    ("reason", "way_out"), [("internal_address", "allow_private_addresses"), ("port", "name one that serves HTTP")]
)
def test_a_blocked_address_names_a_way_out(reason, way_out):
    assert way_out in said(account({"blocked_address": 1}, {reason: 1}))
    assert way_out not in said(account({"blocked_address": 1}, {"dns": 1}))
