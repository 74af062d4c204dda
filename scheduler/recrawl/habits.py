"""What is learnt of one host, as small sums that fade; and of all hosts together.

Everything here is a sum over looks, so it is learnt one look at a time, forgets by a factor, and adds over hosts.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from scheduler.recrawl.prior import CANDIDATES
from scheduler.recrawl.shape import BINS
from scheduler.recrawl.watch import DAY

MEMORY_DAYS = 120.0
"""Half-life of what was seen of edits and hints: a host that gets another system or desk is known anew in a season."""
SPENDING_DAYS = 30.0
"""Half-life of the account of refetches: long enough that a week of elections doesn't make looks dear for a month."""
PENDING = ((0.5, 0.7), (0.25, 5.0), (0.25, 25.0))
"""Shares of an article's looks, and the days that they take to fall due on average: a new article joins the account bit
by bit, as its looks do. Otherwise a host would seem thrifty for as long as its articles are young."""
WHOLE_WATCH = timedelta(days=60)
"""The watch for which `PENDING` stands; in a shorter one the days are fewer in proportion."""
_FADE_STEP_DAYS = 1 / 24
_LONGEST_FADE_DAYS = 90.0
"""A clock that leaps makes nothing forgotten beyond this."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What plans are made by: a host's prior Gamma(alpha, beta) of rates, its age shape, and the price of a fetch
    before the correction. It moves in steps: so a host's articles are planned alike, and tables serve again."""

    alpha: float
    beta: float
    rates: tuple[float, ...]
    price: float
    looks: float
    """The looks it was made from, as they counted then."""
    made_at: datetime
    limits: str
    """What the operator asked then; another wish makes another price."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What is known of one host. The sums are explained where they are used: prior, shape, budget, hints.

    `correction` is what measured spending makes of the price that the model alone would ask; `planned_price` the price
    at which the host's pages were last planned anew.
    """

    looks: float = 0.0
    prior_sums: tuple[float, ...] = (0.0,) * len(CANDIDATES)
    events: tuple[float, ...] = (0.0,) * BINS
    exposure: tuple[float, ...] = (0.0,) * BINS
    hints: float = 0.0
    true_hints: float = 0.0
    articles: float = 0.0
    pending: tuple[float, ...] = (0.0,) * len(PENDING)
    refetches: float = 0.0
    logs_of_correction: float = 0.0
    """The sum over the refetches of the logarithm of the correction under which each was made."""
    correction: float = 1.0
    planned_price: float | None = None
    rule: str | None = None
    basis: Basis | None = None
    learnt_at: datetime | None = None

    @property
    def price(self) -> float | None:
        """The price of a fetch in use, in edits that are seen at once; None before anything is learnt."""
        return None if self.basis is None else self.basis.price * self.correction

    @property
    def spending(self) -> float | None:
        """Refetches an article, as measured lately; None before any article."""
        return self.refetches / self.articles if self.articles > 0 else None

    def with_article(self, weight: float) -> "Habits":
        """Return the habits of a host that has a new article, which counts for `weight` articles."""
        pending = (waiting + weight * share for waiting, (share, _) in zip(self.pending, PENDING, strict=True))
        return replace(self, pending=tuple(pending))

    def replanned(self) -> "Habits":
        """Return the habits of a host whose pages were just planned anew at the price in use."""
        return replace(self, planned_price=self.price)

    def righted(self, now: datetime, leeway: timedelta) -> "Habits":
        """Return the habits with instants that lie ahead of `now` set to it: a clock that was ahead wrote them, and
        nothing would fade, nor the price follow what is spent, until then."""
        learnt_at, basis = self.learnt_at, self.basis
        if learnt_at is not None and learnt_at > now + leeway:
            learnt_at = now
        if basis is not None and basis.made_at > now + leeway:
            basis = replace(basis, made_at=now)
        return (
            self
            if (learnt_at, basis) == (self.learnt_at, self.basis)
            else replace(self, learnt_at=learnt_at, basis=basis)
        )

    def faded(self, at: datetime, watch_for: timedelta = WHOLE_WATCH) -> "Habits":
        """Return the habits as they count at an instant: older looks for less. A clock set back changes nothing.

        `watch_for` is how long articles are watched: in a shorter time their looks fall due sooner.
        """
        if self.learnt_at is None:
            return replace(self, learnt_at=at)
        days = min((at - self.learnt_at).total_seconds() / DAY, _LONGEST_FADE_DAYS)
        if days < _FADE_STEP_DAYS:
            return self
        keep, keep_spending = 0.5 ** (days / MEMORY_DAYS), 0.5 ** (days / SPENDING_DAYS)
        share = min(max(watch_for / WHOLE_WATCH, 1e-4), 1.0)
        stays = [math.exp(-days / (term * share)) for _, term in PENDING]
        joined = sum(waiting * (1 - stay) for waiting, stay in zip(self.pending, stays, strict=True))
        return replace(
            self,
            looks=self.looks * keep,
            prior_sums=tuple(value * keep for value in self.prior_sums),
            events=tuple(value * keep for value in self.events),
            exposure=tuple(value * keep for value in self.exposure),
            hints=self.hints * keep,
            true_hints=self.true_hints * keep,
            articles=self.articles * keep_spending + joined,
            pending=tuple(waiting * stay for waiting, stay in zip(self.pending, stays, strict=True)),
            refetches=self.refetches * keep_spending,
            logs_of_correction=self.logs_of_correction * keep_spending,
            learnt_at=at,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the habits as values that JSON can hold."""
        values: dict[str, Any] = {
            "looks": self.looks,
            "prior_sums": list(self.prior_sums),
            "events": list(self.events),
            "exposure": list(self.exposure),
            "hints": self.hints,
            "true_hints": self.true_hints,
            "articles": self.articles,
            "pending": list(self.pending),
            "refetches": self.refetches,
            "logs_of_correction": self.logs_of_correction,
            "correction": self.correction,
            "planned_price": self.planned_price,
            "rule": self.rule,
            "learnt_at": self.learnt_at.isoformat() if self.learnt_at else None,
        }
        if self.basis is not None:
            values["basis"] = {
                **vars(self.basis),
                "rates": list(self.basis.rates),
                "made_at": self.basis.made_at.isoformat(),
            }
        return values

    @staticmethod
    def from_json(values: Mapping[str, Any] | None) -> "Habits":
        """Return habits from what `to_json` gave. What is missing or makes no sense is taken as not known."""
        source = values if isinstance(values, Mapping) else {}
        plain = Habits()
        known: dict[str, Any] = {
            "looks": _number(source.get("looks")),
            "hints": _number(source.get("hints")),
            "true_hints": _number(source.get("true_hints")),
            "articles": _number(source.get("articles")),
            "pending": _numbers(source.get("pending"), len(PENDING)),
            "refetches": _number(source.get("refetches")),
            "logs_of_correction": _number(source.get("logs_of_correction"), _is_any),
            "correction": _number(source.get("correction"), _is_positive),
            "planned_price": _number(source.get("planned_price"), _is_positive),
            "prior_sums": _numbers(source.get("prior_sums"), len(CANDIDATES), _is_any),
            "events": _numbers(source.get("events"), BINS),
            "exposure": _numbers(source.get("exposure"), BINS),
            "rule": source.get("rule") if isinstance(source.get("rule"), str) else None,
            "basis": _basis(source.get("basis")),
            "learnt_at": _instant(source.get("learnt_at")),
        }
        return replace(plain, **{name: value for name, value in known.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All hosts together, which a host of which little is known is taken to resemble."""

    looks: float = 0.0
    prior_sums: tuple[float, ...] = (0.0,) * len(CANDIDATES)
    events: tuple[float, ...] = (0.0,) * BINS
    exposure: tuple[float, ...] = (0.0,) * BINS
    hints: float = 0.0
    true_hints: float = 0.0
    corrections: Mapping[str, float] = field(default_factory=dict)
    """By rule, the geometric mean of the corrections of the hosts that follow it, by their articles."""

    def correction_of(self, rule: str) -> float:
        """Return the correction with which a host begins that follows a rule."""
        return self.corrections.get(rule, 1.0)


def pooled(habits: Iterable[Habits]) -> Pool:
    """Return the sums over hosts."""
    hosts = list(habits)
    if not hosts:
        return Pool()
    return Pool(
        looks=sum(host.looks for host in hosts),
        prior_sums=_added(host.prior_sums for host in hosts),
        events=_added(host.events for host in hosts),
        exposure=_added(host.exposure for host in hosts),
        hints=sum(host.hints for host in hosts),
        true_hints=sum(host.true_hints for host in hosts),
        corrections={rule: _mean_correction(hosts, rule) for rule in {host.rule for host in hosts} if rule},
    )


def _mean_correction(hosts: Iterable[Habits], rule: str) -> float:
    following = [host for host in hosts if host.rule == rule]
    articles = sum(host.articles for host in following)
    logs = sum(host.articles * math.log(host.correction) for host in following)
    return math.exp(logs / articles) if articles > 0 else 1.0


def _added(rows: Iterable[Sequence[float]]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _is_any(_: float) -> bool:
    return True


def _is_positive(value: float) -> bool:
    return value > 0


def _is_sum(value: float) -> bool:
    return value >= 0


def _number(value: object, makes_sense: Callable[[float], bool] = _is_sum) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and makes_sense(value) else None


def _numbers(values: object, count: int, makes_sense: Callable[[float], bool] = _is_sum) -> tuple[float, ...] | None:
    if not isinstance(values, list | tuple) or len(values) != count:
        return None
    numbers = [number for value in values if (number := _number(value, makes_sense)) is not None]
    return tuple(numbers) if len(numbers) == count else None


def _basis(value: object) -> Basis | None:
    if not isinstance(value, Mapping):
        return None
    alpha, beta, price = (_number(value.get(name), _is_positive) for name in ("alpha", "beta", "price"))
    rates, looks = _numbers(value.get("rates"), BINS, _is_positive), _number(value.get("looks"))
    if alpha is None or beta is None or price is None or rates is None or looks is None:
        return None
    made_at, limits = _instant(value.get("made_at")), value.get("limits")
    if made_at is None or not isinstance(limits, str):
        return None
    return Basis(alpha=alpha, beta=beta, rates=rates, price=price, looks=looks, made_at=made_at, limits=limits)


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
