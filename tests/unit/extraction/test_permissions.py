"""What headers and markup permit: ours is told from other robots', and the strictest word holds."""

import pytest

from crawler.extraction.permissions import Permissions, permissions_of
from crawler.extraction.pool import ReadTask, read_task
from storage.outcomes import Outcome
from tests.unit.extraction.pages import CAPTURED_AT, page


def permitted(*headers, token="MorgueBot", **meta):
    names = {name.replace("_", "-"): list(values) for name, values in meta.items()}
    return permissions_of(headers, names, robots_token=token)


def robots_tag(value):
    return permitted(("X-Robots-Tag", value))


@pytest.mark.parametrize(
    ("value", "noarchive", "nofollow"),
    [
        ("noarchive", True, False),
        ("NoArchive", True, False),
        ("noindex, noarchive", True, False),
        ("noindex; noarchive", True, False),
        ("noarchive nofollow", True, True),
        ("none", False, True),
        ("all", False, False),
        ("index, follow, archive", False, False),
        ("noarchived", False, False),
        ("morguebot: noarchive", True, False),
        ("MORGUEBOT : noindex, noarchive", True, False),
        ("*: noarchive", True, False),
        ("otherbot: noarchive", False, False),
        ("otherbot: noindex, noarchive", False, False),
        ("otherbot: noarchive, morguebot: nofollow", False, True),
        ("noarchive, otherbot: nofollow", True, False),
        ("unavailable_after: 25 Jun 2025 15:00:00 PST, noarchive", True, False),
        ("unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT, noarchive", True, False),
        ("otherbot: unavailable_after: 25 Jun 2025 15:00:00 PST, noarchive", False, False),
        ("max-snippet:0, noarchive", True, False),
        ("max-image-preview:large", False, False),
        ("", False, False),
        (":,:,;", False, False),
        ("otherbot: morguebot: noarchive", True, False),
    ],
)
def test_robots_tag(value, noarchive, nofollow):
    found = robots_tag(value)
    assert (found.noarchive, found.nofollow) == (noarchive, nofollow)


def test_repeated_headers_add_up_and_each_begins_for_all_robots():
    found = permitted(("x-robots-tag", "otherbot: noindex"), ("X-ROBOTS-TAG", "noarchive"), ("Content-Type", "noai"))
    assert found == Permissions(noarchive=True, opt_outs=("noarchive",))


def test_a_rule_of_our_own_adds_to_the_general_one_and_never_lifts_it():
    assert permitted(robots=["noarchive"], morguebot=["all", "nofollow"]) == Permissions(
        noarchive=True, nofollow=True, opt_outs=("noarchive",)
    )
    assert permitted(("X-Robots-Tag", "morguebot: all"), robots=["noarchive"]).noarchive
    assert not permitted(otherbot=["noarchive"]).noarchive
    assert permitted(token="", robots=["noarchive"]).noarchive


@pytest.mark.parametrize(
    ("found", "opt_outs"),
    [
        (permitted(robots=["noai, noimageai, max-snippet:0, noindex"]), ("noai", "noimageai")),
        (permitted(robots=["nosnippet nocache"]), ("nocache", "nosnippet")),
        (robots_tag("unavailable_after: Wed, 25 Jun 2025 15:00:00 GMT"),
         ("unavailable_after=Wed 25 Jun 2025 15:00:00 GMT",)),
        (robots_tag("unavailable_after: 2030-01-01"), ("unavailable_after=2030-01-01",)),
        (permitted(("tdm-reservation", "1"), ("tdm-policy", "https://courier.example/tdm.json")),
         ("tdm-reservation", "tdm-policy=https://courier.example/tdm.json")),
        (permitted(tdm_reservation=["1"]), ("tdm-reservation",)),
        (permitted(("TDM-Reservation", "0"), ("tdm-policy", "https://courier.example/tdm.json")), ()),
        (permitted(("tdm-reservation", "0"), tdm_reservation=["1"]), ("tdm-reservation",)),
        (permitted(("Content-Signal", "search=yes, ai-train=no, ai-input=no")), ("ai-train=no", "ai-input=no")),
        (permitted(("Content-Usage", "train-ai=n, search=y")), ("train-ai=no",)),
        (permitted(("Content-Usage", "train-ai=?0;exp")), ("train-ai=no",)),
        (permitted(("Content-Usage", "train-ai=now")), ()),
        (permitted(content_usage=["ai=n"]), ("ai=no",)),
        (permitted(("Server", "noai")), ()),
    ],
)  # fmt: skip
def test_what_is_reserved_is_recorded(found, opt_outs):
    assert found.opt_outs == opt_outs


def test_what_is_recorded_is_bounded_and_plain():
    found = robots_tag("unavailable_after: \x1b[31m" + "x" * 10_000)
    assert "\x1b" not in found.opt_outs[0]
    assert len(found.opt_outs[0]) == 300
    assert len(permitted(("Content-Usage", ", ".join(f"use{n}=n" for n in range(500)))).opt_outs) == 20


@pytest.mark.parametrize(
    ("head", "headers", "noarchive"),
    [
        ("<meta name='ROBOTS' content='NOARCHIVE'>", (), True),
        ("<meta name='morguebot' content='noarchive'>", (), True),
        ("<meta name='googlebot' content='noarchive'>", (), False),
        ("", (("X-Robots-Tag", "noarchive"),), True),
        ("", (), False),
    ],
)
def test_a_page_is_read_with_what_it_permits(head, headers, noarchive):
    task = ReadTask(
        body=page(head=head).encode(),
        content_type="text/html",
        url="https://courier.example/city/bridge-to-close",
        timezone=None,
        captured_at=CAPTURED_AT,
        headers=headers,
        robots_token="MorgueBot",
    )
    reading = read_task(task)
    assert reading.article is not None
    assert reading.permissions.noarchive is noarchive


def test_what_is_no_article_says_what_it_permits_too():
    task = ReadTask(
        body=b"<title>News</title><meta name=robots content=nofollow><div id=app></div><script></script>",
        content_type=None,
        url="https://courier.example/",
        timezone=None,
        captured_at=CAPTURED_AT,
    )
    reading = read_task(task)
    assert reading.outcome is Outcome.SCRIPT_SHELL
    assert reading.permissions.nofollow


@pytest.mark.parametrize("name", ["Content-Usage", "Content-Signal", "X-Robots-Tag"])
def test_a_header_without_end_is_read_as_far_as_one_would_write_it(name):
    # Read again from each of its letters, it would keep every other page waiting for days.
    for endless in ("a" * 10**7, "a:" * 10**6, "a=" * 10**6, "a" + " " * 10**7 + "x"):
        assert permitted((name, "noai, ai-train=no, " + endless)).opt_outs in (("noai",), ("ai-train=no",))
