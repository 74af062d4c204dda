"""When an article is looked at again. Pure: facts and the present instant in, a decision out; standard library only.

How to use it (all instants are aware UTC):

- Keep with each page an `Evidence` (what its looks told), and with each host its `Habits` as JSON (`to_json`,
  `from_json`, which accepts None and rubbish). `pooled` makes of all hosts' habits the `Pool` new hosts begin from.
- `rule_of(name, interval=…, limits=…)` makes a rule once; keep it, it remembers what it computed.
- After each look that counts call `learn(watch_before, looked_at, changed, habits, pool, rule)` once, and store the
  evidence and habits it returns. The first look at an article (`watch_before.last_look_at` None) enters it into
  the account of the budget. Pass `planned=False` for a look that the rule did not ask for (a second look at a reading
  that waits, a suspect, a look by `--recrawl`): it teaches, and is not paid from the budget. For a look that did not
  find the article any more call `lose`. Never call them for fetches that are no looks: `pay` for one of those that the
  rule asked for.
- Then `rule.next_look(watch, habits, pool, now)` gives a `Decision`. `at` None means that no further look is worth its
  price, or the watch ends before it: release the article. No last look is owed to it: the plan has weighed one at the
  end of the watch among the others. A hint may bring the article back: ask again with `hinted_at`
  set, and if the answer is a time, watch on.
- `needs_replan(habits)` says that a host's price moved by a tenth: ask again for its planned pages, then store
  `habits.replanned()`.
"""

from datetime import timedelta

from scheduler.recrawl.budget import needs_replan
from scheduler.recrawl.habits import Habits, Pool, pooled
from scheduler.recrawl.learning import learn, lose, pay
from scheduler.recrawl.plan import Plan
from scheduler.recrawl.rule import Rule, hint_truth
from scheduler.recrawl.rules import Fixed, Geometric, Never
from scheduler.recrawl.watch import Decision, Evidence, Limits, Watch

_SELF_SCALING = {rule.name: rule for rule in (Plan, Geometric)}
RULES = (*_SELF_SCALING, Fixed.name)
"""The names that a configuration may give."""


def rule_of(name: str, *, interval: timedelta | None = None, limits: Limits | None = None) -> Rule:
    """Return the rule of a name. `interval` is for `fixed` alone. Raises `KeyError` for a name not in `RULES`."""
    limits = limits or Limits()
    if name not in RULES:
        raise KeyError(name)
    if limits.refetches_per_article <= 0 and interval is None:
        return Never(limits, name=name)
    if name == Fixed.name:
        return Fixed(limits, interval=interval)
    return _SELF_SCALING[name](limits)


__all__ = [
    "RULES",
    "Decision",
    "Evidence",
    "Habits",
    "Limits",
    "Pool",
    "Rule",
    "Watch",
    "hint_truth",
    "learn",
    "lose",
    "needs_replan",
    "pay",
    "pooled",
    "rule_of",
]
