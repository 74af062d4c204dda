"""Whatever a server does, the page gets its outcome, and is read well once the server is well again."""

import pytest

from storage.outcomes import Outcome
from tests.hostile.case import Case
from tests.hostile.cases import CASES, NEEDS_HISTORY
from tests.hostile.crawling import Results, crawl_cases, differences

# In one process: they all look at the same crawl.
pytestmark = pytest.mark.xdist_group("hostile")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """All cases, crawled at once."""
    return crawl_cases(CASES, tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_as_the_table_says(results: Results, case: Case):
    assert differences(case, results.found[case.name]) == {}


@pytest.mark.parametrize("case", [case for case in CASES if case.later], ids=lambda case: case.name)
def test_it_costs_nothing_later(results: Results, case: Case):
    assert case.name in results.read_later


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.outcome is Outcome.BLOCKED_ADDRESS], ids=lambda c: c.name
)
def test_what_is_internal_is_never_asked(results: Results, case: Case):
    asked = results.found[case.name].asked
    assert "/secret" not in asked
    if "redirect" not in case.name and "refresh" not in case.name:
        assert "/page" not in asked


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("robots.txt")], ids=lambda c: c.name)
def test_what_robots_may_forbid_is_not_asked_for(results: Results, case: Case):
    assert ("/page" in results.found[case.name].asked) is (case.outcome is Outcome.CREATED)


def test_every_outcome_is_reached_that_needs_no_history(results: Results):
    assert set(Outcome) - results.outcomes == NEEDS_HISTORY


def test_names_of_cases_differ():
    assert len({case.name for case in CASES}) == len(CASES) >= 80


def test_all_of_these_run_in_one_process(request):
    """Each process that runs some of them crawls everything."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@hostile")
