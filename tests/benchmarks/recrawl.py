"""Compares the rules of recrawling at equal budgets, in worlds whose true edits are known.

python -m tests.benchmarks.recrawl [--quick] [--plot FILE.png]
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.recrawl import Pool, pooled, rule_of
from scheduler.recrawl.rules import Fixed, Geometric, Nutch, StormCrawler
from tests.benchmarks.recrawl_trial import Measured, Trial, limits, measure, tuned, watch_as_oracle, watch_world
from tests.benchmarks.recrawl_worlds import DAY, WORLDS, Article, World

SIMPLE = (Geometric, StormCrawler, Nutch, Fixed)
LEARNING = ("plan", "index")


@dataclass(frozen=True)
class Size:
    train_hosts: int = 6
    train_days: float = 90
    hosts: int = 8
    days: float = 150
    warm_days: float = 60
    a_day: float = 2.5


@dataclass(frozen=True)
class Case:
    """A world's articles to tune and learn on, and those to measure on: other hosts, and a later time of them."""

    training: list[Article]
    test: list[Article]
    warm_days: float

    def measure(self, trial: Trial) -> Measured:
        pairs = [
            (article, ages)
            for article, ages in zip(self.test, trial.looks, strict=True)
            if article.born >= self.warm_days * DAY
        ]
        return measure([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def case_of(world: World, size: Size, seed: int) -> Case:
    training = world.articles(hosts=size.train_hosts, days=size.train_days, a_day=size.a_day, seed=1000 + seed)
    test = world.articles(hosts=size.hosts, days=size.days, a_day=size.a_day, seed=seed)
    return Case(training, test, size.warm_days)


def spent(articles: Sequence[Article], trial: Trial) -> float:
    return sum(len(ages) - 1 for ages in trial.looks) / len(articles)


def run_simple(kind: type, case: Case, budget: float) -> Measured:
    def trial(articles: list[Article], scale: float) -> Trial:
        return watch_world(kind(limits(budget), scale=scale), articles, pool=Pool(), learning=False)

    scale = tuned(lambda knob: spent(case.training, trial(case.training, knob)), budget, low=1 / 64, high=64)
    return case.measure(trial(case.test, scale))


def run_learning(name: str, case: Case, budget: float) -> Measured:
    trained = watch_world(rule_of(name, limits=limits(budget)), case.training, pool=Pool(), learning=True)
    pool = pooled(trained.habits.values())
    trial = watch_world(rule_of(name, limits=limits(budget)), case.test, pool=pool, learning=True)
    return case.measure(trial)


def run_oracle(case: Case, budget: float) -> Measured:
    def spend(price: float) -> float:
        return spent(case.training, watch_as_oracle(case.training, budget=budget, price=price))

    price = tuned(spend, budget, low=1e-6, high=1.0, steps=10)
    return case.measure(watch_as_oracle(case.test, budget=budget, price=price))


def main() -> None:
    import sys

    size = Size()
    for world in WORLDS:
        for seed in (1,):
            case = case_of(world, size, seed)
            for budget in (4.0, 12.0):
                for name in (*LEARNING, *SIMPLE, "oracle"):
                    began = time.perf_counter()
                    if name == "oracle":
                        result = run_oracle(case, budget)
                    elif isinstance(name, str):
                        result = run_learning(name, case, budget)
                    else:
                        result = run_simple(name, case, budget)
                    label = name if isinstance(name, str) else name.name
                    print(
                        f"{world.name:13} {budget:4.0f} {label:13} {result.refetches:6.2f} {result.caught:6.3f} "
                        f"{result.mean_delay:7.1f} {result.median_delay:6.2f} {result.p90_delay:7.1f} "
                        f"{result.strict_delay:7.1f} {result.wasted:6.3f}  {time.perf_counter() - began:5.1f}s",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
