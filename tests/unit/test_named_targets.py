"""The account of named URLs, and the limit that unknown ones share with known pages."""

import asyncio

from crawler.fetch_limit import FetchLimit
from crawler.named import INTERNAL_ERROR, LIMIT, STOPPED, NamedResult, NamedTargets
from storage.outcomes import Outcome


def test_every_url_is_accounted_for_once():
    results: list[NamedResult] = []
    named = NamedTargets(["a", "a2", "feed", "broken", "late", "never"], results)
    named.stands_for(1, "a")
    named.stands_for(1, "a2")
    named.looked_at(1, Outcome.CREATED, None)
    named.looked_at(1, Outcome.UNCHANGED, None)
    named.looked_at(2, Outcome.MISSING, "not_found")
    named.stands_for(2, "late")
    named.is_feed("feed")
    named.broke("broken")
    assert named.open == ["never"]
    named.close(lambda url: STOPPED)
    named.close(lambda url: STOPPED)
    assert [(result.url, result.outcome, result.reason) for result in results] == [
        ("a", Outcome.UNCHANGED, None),
        ("a2", Outcome.UNCHANGED, None),
        ("late", Outcome.MISSING, "not_found"),
        ("broken", None, INTERNAL_ERROR),
        ("never", None, STOPPED),
    ]
    assert [result.url for result in results if result.failed] == ["late", "broken", "never"]


def test_what_a_limit_left_out_is_no_failure():
    assert not NamedResult(url="a", outcome=None, reason=LIMIT).failed


def test_a_fetch_that_was_none_of_a_page_is_given_to_another():
    async def main() -> list[bool]:
        limit = FetchLimit(1)
        first = await limit.take()
        waiting = [asyncio.create_task(limit.take()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        limit.settle(was_page=False)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        limit.settle(was_page=True)
        assert limit.left == 0
        return [first, *await asyncio.gather(*waiting)]

    assert asyncio.run(main()) == [True, True, False]


def test_without_a_limit_nobody_waits():
    async def main() -> list[bool]:
        limit = FetchLimit(None)
        return [await limit.take() for _ in range(3)]

    assert asyncio.run(main()) == [True] * 3


def test_a_page_that_another_stands_for_has_the_account_of_that_one():
    results = []
    named = NamedTargets(["a", "b"], results)
    named.stands_for(1, "a")
    named.leads_to(1, 2)
    named.stands_for(1, "b")
    assert named.was_looked_at(1)
    assert named.open == ["a", "b"]
    named.looked_at(2, Outcome.CREATED, None)
    assert [(result.url, result.outcome) for result in results] == [("a", Outcome.CREATED), ("b", Outcome.CREATED)]


def test_a_page_that_no_other_stands_for_after_all_has_its_own_account_again():
    results = []
    named = NamedTargets(["a", "c"], results)
    named.stands_for(1, "a")
    named.stands_for(3, "c")
    named.leads_to(1, 2)
    named.leads_to(2, 3)
    named.stands_alone(1)
    named.looked_at(3, Outcome.MISSING, "not_found")
    assert named.open == ["a"]
    named.looked_at(1, Outcome.CREATED, None)
    assert {result.url: result.outcome for result in results} == {"a": Outcome.CREATED, "c": Outcome.MISSING}
