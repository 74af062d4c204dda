"""Synthetic worlds of news articles whose true edits are known, matched to what others measured of real ones.

Each article has a true rate function of edits, a sum of parts with a weight and a distribution over age; its edits are
drawn from that, and nobody but the oracle is told the function. All ages and instants are in seconds.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HOUR = 3600.0
DAY = 86_400.0
WATCH = 60 * DAY


@dataclass(frozen=True)
class Part:
    """A part of a rate function: `weight` edits expected in all, `cumulative` share of them by an age."""

    weight: float
    cumulative: Callable[[float], float]
    draw: Callable[[random.Random], float]


@dataclass(frozen=True)
class Article:
    """One article: when it was born and first seen (as an age), its true rates and what became of them.

    `edits` are those after the first look, within the watch.
    """

    host: int
    born: float
    seen: float
    parts: tuple[Part, ...]
    edits: tuple[float, ...]

    def cumulative(self, age: float) -> float:
        """Return how many edits were to be expected by an age."""
        return sum(part.weight * part.cumulative(age) for part in self.parts)


def table_part(weight: float, points: Sequence[tuple[float, float]]) -> Part:
    """Return a part that follows a table of (age, cumulative), in straight lines between its points."""
    ages, sums = [point[0] for point in points], [point[1] for point in points]

    def cumulative(age: float) -> float:
        if age >= ages[-1]:
            return 1.0
        place = max(1, bisect_left(ages, age))
        part = (age - ages[place - 1]) / (ages[place] - ages[place - 1])
        return sums[place - 1] + part * (sums[place] - sums[place - 1])

    def draw(rng: random.Random) -> float:
        share = rng.random()
        place = max(1, bisect_left(sums, share))
        part = (share - sums[place - 1]) / max(1e-12, sums[place] - sums[place - 1])
        return ages[place - 1] + part * (ages[place] - ages[place - 1])

    return Part(weight, cumulative, draw)


def fading_part(weight: float, begin: float, mean: float) -> Part:
    """Return a burst that begins at an age and fades exponentially with a mean delay."""
    return Part(
        weight,
        lambda age: -math.expm1(-(age - begin) / mean) if age > begin else 0.0,
        lambda rng: begin + rng.expovariate(1 / mean),
    )


def bell_part(weight: float, centre: float, spread: float) -> Part:
    """Return a part around an age."""
    return Part(
        weight,
        lambda age: 0.5 * math.erfc(-(age - centre) / (spread * math.sqrt(2))),
        lambda rng: rng.gauss(centre, spread),
    )


def log_part(weight: float, begin: float, end: float) -> Part:
    """Return a part spread evenly over the logarithm of age between two ages."""
    span = math.log(end / begin)
    return Part(
        weight,
        lambda age: min(1.0, max(0.0, math.log(max(age, 1.0) / begin) / span)),
        lambda rng: begin * math.exp(rng.random() * span),
    )


Making = Callable[[random.Random, float], list[Part]]
"""Draws the rate function of an article that is born at an instant."""


@dataclass(frozen=True)
class World:
    """A kind of world: `host` draws the traits of the host that stands at a share (0 to 1) of all hosts.

    Hosts are drawn evenly over the shares, so that one set of hosts is like another without being the same.
    """

    name: str
    host: Callable[[random.Random, float], Making]
    facts: str = field(default="")

    def articles(self, *, hosts: int, days: float, a_day: float, seed: int) -> list[Article]:
        """Return the articles of some hosts, each publishing `a_day` for some days; the same for the same seed."""
        articles = []
        for host in range(hosts):
            rng = random.Random(f"{self.name} {seed} {host}")
            making = self.host(rng, (host + rng.random()) / hosts)
            for _ in range(round(days * a_day)):
                born = math.floor(rng.random() * days) * DAY + _hour_of_birth(rng) * HOUR
                parts = tuple(making(rng, born))
                # Feeds are polled every quarter of an hour or so.
                seen = rng.uniform(2 * 60, 30 * 60)
                edits = sorted(part.draw(rng) for part in parts for _ in range(_poisson(rng, part.weight)))
                within = tuple(age for age in edits if seen < age < WATCH)
                articles.append(Article(host, born, seen, parts, within))
        return articles


def _hour_of_birth(rng: random.Random) -> float:
    """Newsrooms publish from six in the morning till midnight, most around noon and in the evening."""
    return rng.choice((rng.gauss(11, 3), rng.gauss(17, 3))) % 24


def _poisson(rng: random.Random, mean: float) -> int:
    count, rest = 0, rng.expovariate(1.0)
    while rest < mean:
        count, rest = count + 1, rest + rng.expovariate(1.0)
    return count


def _as_assumed(rng: random.Random, share: float) -> Making:
    """Gamma rates and one shape of age for all articles of a host; hosts differ in all three."""
    mean, alpha = 0.31 * math.exp(1.4 * (share - 0.5)), 0.4 * math.exp(rng.uniform(-0.4, 0.4))
    quick = rng.uniform(-0.25, 0.25)
    shape = [(0.0, 0.0), (600.0, 0.04), (HOUR, 0.21), (4 * HOUR, 0.45), (10 * HOUR, 0.63), (DAY, 0.775)]
    shape += [(3 * DAY, 0.88), (7 * DAY, 0.95), (21 * DAY, 0.98), (WATCH, 1.0)]
    points = [(age, cumulative ** math.exp(quick)) for age, cumulative in shape]

    def making(article: random.Random, born: float) -> list[Part]:
        return [table_part(article.gammavariate(alpha, mean / alpha), points)]

    return making


def _bursts(rng: random.Random, share: float) -> Making:
    """Corrections that come in bursts, rewrites on the morning after, late additions; each host in its own mixture.

    No product of a rate and a shape of age gives this: a burst begins at any time and is over in an hour, and the
    morning after comes at another age for each article.
    """
    busy = math.exp(1.0 * (share - 0.5))
    bursts, morning = 0.30 * busy * rng.uniform(0.6, 1.4), rng.choice((0.01, 0.05, 0.12)) * busy
    early, late = rng.uniform(1.0, 5.0) * HOUR, 0.085 * busy * rng.uniform(0.5, 1.5)
    mean_delay = rng.uniform(15, 60) * 60

    def making(article: random.Random, born: float) -> list[Part]:
        parts = []
        while article.random() < bursts / (1 + bursts):
            begin = min(article.expovariate(1 / early), 20 * HOUR)
            parts.append(fading_part(article.gammavariate(1.5, 0.5), begin, mean_delay))
        if article.random() < morning:
            to_seven = (7 * HOUR - born) % DAY
            parts.append(bell_part(1.2, to_seven + (0 if to_seven > 5 * HOUR else DAY), HOUR))
        if article.random() < late:
            parts.append(log_part(1.0, DAY, 50 * DAY))
        return parts

    return making


def _mostly_never(rng: random.Random, share: float) -> Making:
    """Four in five articles are never touched; most others once or twice; a few are edited all day."""
    busy = math.exp(1.0 * (share - 0.5))
    touched, live = 0.28 * busy, 0.005 * busy * rng.uniform(0.6, 1.4)
    early = rng.uniform(0.5, 2.0) * HOUR

    def making(article: random.Random, born: float) -> list[Part]:
        drawn = article.random()
        if drawn < live:
            length = article.uniform(3, 14) * HOUR
            return [fading_part(article.uniform(6, 20), 0.0, length), log_part(1.0, DAY, 14 * DAY)]
        if drawn < live + touched:
            return [log_part(1.0, early / 6, 4 * DAY)]
        return []

    return making


WORLDS = (World("as assumed", _as_assumed), World("bursts", _bursts), World("mostly never", _mostly_never))


@dataclass(frozen=True)
class Facts:
    """What of a world can be compared with what was measured of the real one."""

    changed_after_day: float
    changed_after_week: float
    edits_within_day: float
    """Of the edits of the first week."""
    edits_an_article: float


def facts(articles: Sequence[Article]) -> Facts:
    """Return the facts of a world, as seen by one who looked first when each article was found."""
    count = len(articles)
    week = [age for article in articles for age in article.edits if age <= 7 * DAY]
    return Facts(
        sum(any(age <= DAY for age in article.edits) for article in articles) / count,
        sum(any(age <= 7 * DAY for age in article.edits) for article in articles) / count,
        sum(age <= DAY for age in week) / max(1, len(week)),
        sum(len(article.edits) for article in articles) / count,
    )
