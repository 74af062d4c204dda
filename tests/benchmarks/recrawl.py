"""Compares the rules of recrawling at equal budgets, in synthetic worlds whose true edits are known.

    python -m tests.benchmarks.recrawl [--quick] [--plot FILE.png] [--processes N]

Every simple rule has one knob, found by bisection on the training hosts. The plan and the index have none: they learn
from the training hosts what all hosts have in common, and the rest online, like in the service; their price follows
what they spend. So that they are compared at equal budgets all the same, they are asked for a little more or less where
they spend less or more; what they spend when asked for the budget is shown beside. All are measured on other hosts, on
articles of a later time. The oracle plans each article by its true rate function. Choices were made on other seeds.
The plot needs matplotlib, of the dependency group `bench`.
"""

import argparse
import itertools
import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

from scheduler.recrawl.rules import Fixed, Geometric
from tests.benchmarks.recrawl_rules import Nutch, StormCrawler, rule_of
from tests.benchmarks.recrawl_trial import (
    Measured,
    Trial,
    as_known,
    bracket,
    limits,
    measure,
    watch_as_oracle,
    watch_world,
)
from tests.benchmarks.recrawl_worlds import DAY, WORLDS, Article, World, facts

SIMPLE = {rule.name: rule for rule in (Geometric, StormCrawler, Nutch, Fixed)}
RULES = ("plan", "index", *SIMPLE, "oracle")
BUDGETS = (4.0, 12.0)
PLOTTED_BUDGETS = (2.5, 7.0)
"""Further points of the plot."""


@dataclass(frozen=True)
class Size:
    """How many hosts and days a case has; `warm_days` pass on the test hosts before articles are measured."""

    train_hosts: int = 6
    train_days: float = 30
    hosts: int = 10
    days: float = 80
    warm_days: float = 40
    a_day: float = 4.0


SEEDS = (21, 22)
QUICK = Size(train_hosts=5, hosts=6, a_day=3.0)
TINY = Size(train_hosts=2, train_days=40, hosts=3, days=60, warm_days=30, a_day=2.0)


@dataclass(frozen=True)
class Case:
    """A world's articles to tune and learn on, and those to measure on: other hosts, at a later time of theirs."""

    training: list[Article]
    test: list[Article]
    warm_days: float

    def measure(self, trial: Trial) -> Measured:
        """Return what a trial on the test hosts came to, of articles after the warm-up."""
        pairs = zip(self.test, trial.looks, strict=True)
        later = [pair for pair in pairs if pair[0].born >= self.warm_days * DAY]
        return measure([pair[0] for pair in later], [pair[1] for pair in later])


def case_of(world: World, size: Size, seed: int) -> Case:
    """Return the articles of a world, the same for the same seed."""
    training = world.articles(hosts=size.train_hosts, days=size.train_days, a_day=size.a_day, seed=1000 + seed)
    test = world.articles(hosts=size.hosts, days=size.days, a_day=size.a_day, seed=seed)
    return Case(training, test, size.warm_days)


def spent(trial: Trial) -> float:
    """Return the refetches an article."""
    return sum(len(ages) - 1 for ages in trial.looks) / len(trial.looks)


def run(name: str, case: Case, budget: float) -> Measured:
    """Return what a rule came to on the test hosts at a budget."""
    if name in SIMPLE:
        return _run_tuned(case, budget, lambda articles, knob: _watch_simply(name, articles, budget, knob), 1 / 64, 64)
    if name == "oracle":
        return _run_tuned(
            case, budget, lambda articles, knob: watch_as_oracle(articles, budget=budget, price=knob), 2e-5, 1.0
        )
    measured = _run_asked(name, case, budget)
    if abs(measured.refetches / budget - 1) < 0.01:
        return measured
    equal = _run_asked(name, case, budget * budget / measured.refetches)
    return replace(equal, unadjusted=measured.refetches)


def _run_asked(name: str, case: Case, asked: float) -> Measured:
    """Return what a rule that learns came to which is asked for so many refetches an article."""
    last = max(article.born for article in case.training)
    trained = watch_world(rule_of(name, limits=limits(asked)), case.training, learning=True, until=last)
    known = [as_known(habits) for habits in trained.habits.values()]
    return case.measure(watch_world(rule_of(name, limits=limits(asked)), case.test, others=known, learning=True))


def _watch_simply(name: str, articles: list[Article], budget: float, knob: float) -> Trial:
    return watch_world(SIMPLE[name](limits(budget), scale=knob), articles, learning=False)


def _run_tuned(case: Case, budget: float, watch, low: float, high: float) -> Measured:
    """Return what comes of a rule with the knob at which the training hosts are looked at as often as the budget says.

    Spending jumps where the last look of many articles comes to lie behind the end of their watch. There two knobs,
    a little apart, are each used for a share of the articles.
    """
    thrifty, lavish, share = bracket(lambda knob: spent(watch(case.training, knob)), budget, low=low, high=high)
    if share <= 0.0:
        return case.measure(watch(case.test, thrifty))
    rng = random.Random(1)
    pairs = zip(watch(case.test, thrifty).looks, watch(case.test, lavish).looks, strict=True)
    return case.measure(Trial([pair[1] if rng.random() < share else pair[0] for pair in pairs]))


def _job(job: tuple[int, Size, int, float, str]) -> tuple[int, float, str, int, Measured]:
    number, size, seed, budget, name = job
    return number, budget, name, seed, run(name, case_of(WORLDS[number], size, seed), budget)


def compare(
    size: Size, seeds: Sequence[int], budgets: Sequence[float], rules: Iterable[str], processes: int
) -> dict[tuple[int, float, str], list[Measured]]:
    """Return what each rule came to, by world, budget and rule, one value a seed."""
    jobs = list(itertools.product(range(len(WORLDS)), [size], seeds, budgets, rules))
    results: dict[tuple[int, float, str], list[Measured]] = defaultdict(list)
    with ProcessPoolExecutor(processes) as executor:
        for number, budget, name, _, measured in executor.map(_job, jobs):
            results[number, budget, name].append(measured)
    return results


def mean(values: Sequence[Measured]) -> Measured:
    """Return the mean over seeds."""
    names = [field.name for field in fields(Measured)]
    return Measured(**{name: statistics.fmean(getattr(value, name) for value in values) for name in names})


def _print_facts(size: Size, seeds: Sequence[int]) -> None:
    print("worlds (changed after 24 h, after 7 d; share of the first week's edits within 24 h; edits an article)")
    print("  measured by others: 16.5 %, 19.5 %; 81 %")
    for world in WORLDS:
        found = facts([article for seed in seeds for article in case_of(world, size, seed).test])
        print(
            f"  {world.name:13} {found.changed_after_day:6.1%} {found.changed_after_week:6.1%} "
            f"{found.edits_within_day:6.1%}  {found.edits_an_article:.2f}"
        )


def _print_table(results: dict[tuple[int, float, str], list[Measured]], budgets: Sequence[float]) -> None:
    print("\nasked: spent when asked for the budget as it stands; ± half the range over seeds; delays in hours;")
    print("never: mean delay if what was never shown counts to the end of the watch")
    for budget in budgets:
        for number, world in enumerate(WORLDS):
            print(f"\n{world.name}, {budget:g} refetches an article")
            print("  rule          spent (asked)  caught          mean    p50    p90   never  wasted")
            for name in RULES:
                values = results[number, budget, name]
                value = mean(values)
                half = (max(v.caught for v in values) - min(v.caught for v in values)) / 2
                off = "" if abs(value.refetches / budget - 1) <= 0.03 or name == "oracle" else "  off budget"
                print(
                    f"  {name:13} {value.refetches:5.2f} ({value.unadjusted:5.2f})  {value.caught:6.1%} ±{half:5.1%} "
                    f"{value.mean_delay:7.1f} {value.median_delay:6.1f} {value.p90_delay:6.0f} "
                    f"{value.strict_delay:7.1f}  {value.wasted:6.1%}{off}"
                )


def _print_verdict(results: dict[tuple[int, float, str], list[Measured]], budgets: Sequence[float]) -> None:
    for budget in budgets:
        leads = []
        for number, world in enumerate(WORLDS):
            plan = mean(results[number, budget, "plan"])
            simple = {name: mean(results[number, budget, name]) for name in RULES if name not in {"plan", "oracle"}}
            best = max(simple, key=lambda name: simple[name].caught)
            leads.append(plan.caught - simple[best].caught)
            print(
                f"{world.name} at {budget:g}: plan {leads[-1] * 100:+.1f} points against {best}, "
                f"mean delay {plan.mean_delay:.1f} h against {simple[best].mean_delay:.1f} h, "
                f"{plan.strict_delay:.0f} h against {simple[best].strict_delay:.0f} h with what was never shown"
            )
        print(f"mean lead at {budget:g}: {statistics.fmean(leads) * 100:+.1f} points")


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed and few articles")
    parser.add_argument("--plot", type=Path, help="draw the share caught against refetches into this PNG file")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    size, seeds = (QUICK, SEEDS[:1]) if options.quick else (Size(), SEEDS)
    _print_facts(size, seeds)
    results = compare(size, seeds, BUDGETS, RULES, options.processes)
    _print_table(results, BUDGETS)
    print()
    _print_verdict(results, BUDGETS)
    if options.plot:
        from tests.benchmarks.recrawl_plot import draw

        results |= compare(size, seeds[:1], PLOTTED_BUDGETS, RULES, options.processes)
        draw({key: mean(values) for key, values in results.items()}, options.plot)


if __name__ == "__main__":
    main()
