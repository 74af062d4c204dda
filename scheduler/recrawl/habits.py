"""What is learnt of one host, as small sums that fade; and of all hosts together.

Everything here is a sum over looks, so it is learnt one look at a time, forgets by a factor, and adds over hosts.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from scheduler.recrawl.account import Account
from scheduler.recrawl.prior import CANDIDATES
from scheduler.recrawl.shape import BINS
from scheduler.recrawl.watch import DAY

MEMORY_DAYS = 120.0
"""Half-life of what was seen of edits and hints: a host that gets another system or desk is known anew in a season."""
SPENDING_DAYS = 15.0
"""Half-life of the account of refetches: long enough that a week of elections doesn't make looks dear for a month."""
_FADE_STEP_DAYS = 1 / 24
_LARGEST_SUM = 1e12
"""A larger one in a stored account is rubbish."""
_LARGEST, _LEAST = 1e18, 1e-30
"""So is any number beyond these."""
_LONGEST_FADE_DAYS = 90.0
"""A clock that leaps makes nothing forgotten beyond this."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What plans are made by: a host's prior Gamma(alpha, beta) of rates, and its age shape. It moves in steps: so a
    host's articles are planned alike, and tables serve again."""

    alpha: float
    beta: float
    rates: tuple[float, ...]
    looks: float
    """The looks it was made from, as they counted then."""
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What is known of one host. The sums are explained where they are used: in `prior`, `shape`, `account`, and for
    hints in `rule`.

    There is an account for each rule that its articles are looked at by, and a price, which each rule has in a unit of
    its own: `prices` are what a fetch cost when the host was last learnt of by that rule, `planned_prices` those at
    which its pages were last planned anew.
    """

    looks: float = 0.0
    prior_sums: tuple[float, ...] = (0.0,) * len(CANDIDATES)
    events: tuple[float, ...] = (0.0,) * BINS
    exposure: tuple[float, ...] = (0.0,) * BINS
    hints: float = 0.0
    true_hints: float = 0.0
    accounts: Mapping[str, Account] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    planned_prices: Mapping[str, float] = field(default_factory=dict)
    basis: Basis | None = None
    learnt_at: datetime | None = None

    def account(self, rule: str) -> Account:
        """Return the account of a rule, an empty one where it has spent nothing here."""
        return self.accounts.get(rule, Account())

    def with_account(self, rule: str, account: Account) -> "Habits":
        """Return the habits with another account of a rule."""
        return replace(self, accounts={**self.accounts, rule: account})

    def replanned(self) -> "Habits":
        """Return the habits of a host whose pages were just planned anew at the prices in use."""
        return replace(self, planned_prices=self.prices)

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

    def faded(self, at: datetime) -> "Habits":
        """Return the habits as they count at an instant: older looks for less. A clock set back changes nothing."""
        if self.learnt_at is None:
            return replace(self, learnt_at=at)
        days = min((at - self.learnt_at).total_seconds() / DAY, _LONGEST_FADE_DAYS)
        if days < _FADE_STEP_DAYS:
            return self
        keep, keep_spending = 0.5 ** (days / MEMORY_DAYS), 0.5 ** (days / SPENDING_DAYS)
        return replace(
            self,
            looks=self.looks * keep,
            prior_sums=tuple(value * keep for value in self.prior_sums),
            events=tuple(value * keep for value in self.events),
            exposure=tuple(value * keep for value in self.exposure),
            hints=self.hints * keep,
            true_hints=self.true_hints * keep,
            accounts={rule: account.times(keep_spending) for rule, account in self.accounts.items()},
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
            "accounts": {rule: dict(vars(account)) for rule, account in self.accounts.items()},
            "prices": dict(self.prices),
            "planned_prices": dict(self.planned_prices),
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
            "accounts": _accounts(source.get("accounts")),
            "prices": _prices(source.get("prices")),
            "planned_prices": _prices(source.get("planned_prices")),
            "prior_sums": _numbers(source.get("prior_sums"), len(CANDIDATES), _is_any),
            "events": _numbers(source.get("events"), BINS),
            "exposure": _numbers(source.get("exposure"), BINS),
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
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """By rule, the sums of the accounts of the hosts that follow it."""


def pooled(habits: Iterable[Habits]) -> Pool:
    """Return the sums over hosts."""
    hosts = list(habits)
    if not hosts:
        return Pool()
    accounts: dict[str, Account] = {}
    for host in hosts:
        for rule, account in host.accounts.items():
            accounts[rule] = accounts.get(rule, Account()).plus(account)
    return Pool(
        looks=sum(host.looks for host in hosts),
        prior_sums=_added(host.prior_sums for host in hosts),
        events=_added(host.events for host in hosts),
        exposure=_added(host.exposure for host in hosts),
        hints=sum(host.hints for host in hosts),
        true_hints=sum(host.true_hints for host in hosts),
        accounts=accounts,
    )


def _added(rows: Iterable[Sequence[float]]) -> tuple[float, ...]:
    return tuple(sum(column) for column in zip(*rows, strict=True))


def _is_any(_: float) -> bool:
    return True


def _is_positive(value: float) -> bool:
    return value > _LEAST


def _is_sum(value: float) -> bool:
    return value >= 0


def _number(value: object, makes_sense: Callable[[float], bool] = _is_sum) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < _LARGEST and makes_sense(number) else None


def _numbers(values: object, count: int, makes_sense: Callable[[float], bool] = _is_sum) -> tuple[float, ...] | None:
    if not isinstance(values, list | tuple) or len(values) != count:
        return None
    numbers = [number for value in values if (number := _number(value, makes_sense)) is not None]
    return tuple(numbers) if len(numbers) == count else None


def _basis(value: object) -> Basis | None:
    if not isinstance(value, Mapping):
        return None
    alpha, beta = (_number(value.get(name), _is_positive) for name in ("alpha", "beta"))
    rates, looks = _numbers(value.get("rates"), BINS, _is_positive), _number(value.get("looks"))
    made_at = _instant(value.get("made_at"))
    if alpha is None or beta is None or rates is None or looks is None or made_at is None:
        return None
    return Basis(alpha=alpha, beta=beta, rates=rates, looks=looks, made_at=made_at)


def _prices(value: object) -> dict[str, float] | None:
    if not isinstance(value, Mapping):
        return None
    prices = {rule: _number(price, _is_positive) for rule, price in value.items()}
    return {rule: price for rule, price in prices.items() if price is not None}


def _accounts(value: object) -> dict[str, Account] | None:
    if not isinstance(value, Mapping):
        return None
    accounts = {rule: account for rule, sums in value.items() if (account := _account(sums)) is not None}
    return accounts if len(accounts) == len(value) else None


def _account(value: object) -> Account | None:
    if not isinstance(value, Mapping):
        return None
    sums = {name: _number(value.get(name), _is_any) for name in vars(Account())}
    known = {name: number for name, number in sums.items() if number is not None and abs(number) < _LARGEST_SUM}
    return Account(**known) if len(known) == len(sums) and known["articles"] >= 0 else None


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
