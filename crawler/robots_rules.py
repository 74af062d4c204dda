"""What a robots.txt says, by RFC 9309. Pure.

Lines are sorted into groups here, and the rules of the groups that are meant for us are matched by Protego. Protego
alone would take the group of `foo` for a crawler called `foobar`, miss `User-agent: foobar/1.0`, and let an unknown
line end a group, which RFC 9309, 2.2.4 forbids.

A `Crawl-delay` counts as a rule of its group, so that a `User-agent` line behind it begins another: so it is meant
wherever it is written, though the RFC does not know it.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin, urlsplit

from protego import Protego

MAX_BYTES = 512 * 1024
"""RFC 9309, 2.5: a crawler reads at least 500 KiB of the file; what stands behind is not read."""
MAX_SITEMAPS = 1000
MAX_USAGES = 1000
"""Uses of paths that are looked at; the first ones hold."""
MAX_ADDRESS_LENGTH = 8_192
"""Characters of a sitemap's address; a longer one is none (RFC 9110 asks for 8,000 at least)."""

_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_OTHER_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Characters at which Protego would end a line, and the RFC does not."""
_FIELDS = {
    **dict.fromkeys(("user-agent", "useragent", "user agent"), "user-agent"),
    **dict.fromkeys(("allow",), "allow"),
    # Google's parser forgives these too.
    **dict.fromkeys(("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), "disallow"),
    **dict.fromkeys(("crawl-delay", "crawldelay", "crawl delay"), "crawl-delay"),
    **dict.fromkeys(("sitemap", "site-map"), "sitemap"),
    **dict.fromkeys(("content-signal", "content-usage"), "content-usage"),
}
_TOKEN = re.compile(r"[^\s/;()*]+")
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")
# A use begins where a word does: else a long word would be gone through once more for each of its letters.
_USAGE = re.compile(r"(?<![a-z0-9-])[0-9-]*+([a-z][a-z0-9-]*+)\s*+=\s*+([a-z0-9]+)", re.IGNORECASE)
_RESERVED = frozenset({"no", "n", "false", "0", "deny", "disallow"})
_AI_AGENTS = frozenset(
    {
        *("ai2bot", "anthropic-ai", "applebot-extended", "bytespider", "ccbot", "claudebot", "claude-web"),
        *("cohere-ai", "cohere-training-data-crawler", "diffbot", "google-extended", "gptbot"),
        *("meta-externalagent", "omgili", "omgilibot", "webzio-extended"),
    }
)
"""Crawlers that gather text to train models on; who shuts one out reserves that use."""


@dataclass
class _Group:
    """The rules for some crawlers, merged from all places where they are named, each once."""

    rules: dict[tuple[str, str], None] = field(default_factory=dict)
    crawl_delays: list[float] = field(default_factory=list)
    usages: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RobotsRules:
    """What an origin's robots.txt says to one crawler.

    `crawl_delay` is in seconds, None where none is asked for. `sitemaps` are as they are written. `ai_agents` are
    crawlers of AI companies that are shut out by name.
    """

    crawl_delay: float | None
    sitemaps: tuple[str, ...]
    ai_agents: tuple[str, ...]
    _matcher: Protego | None
    _usages: tuple[tuple[str, str, str], ...]

    def allow(self, url: str) -> bool:
        """Whether the URL may be fetched."""
        return self._matcher is None or bool(self._matcher.can_fetch(url, "*"))

    def opt_outs(self, url: str) -> tuple[str, ...]:
        """Return what uses of the URL are reserved, as `ai-train=no` or `gptbot=disallow`."""
        if not self._usages and not self.ai_agents:
            return ()
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        said: dict[str, tuple[int, str]] = {}
        for prefix, use, answer in self._usages:
            if path.startswith(prefix) and len(prefix) >= said.get(use, (0, ""))[0]:
                said[use] = (len(prefix), answer)
        reserved = [f"{use}={answer}" for use, (_, answer) in said.items() if answer in _RESERVED]
        return tuple(sorted(reserved)) + tuple(f"{agent}=disallow" for agent in self.ai_agents)


def decode_robots(body: bytes) -> str:
    """Return the text of a robots.txt, which is UTF-8; UTF-16 is taken too where it is plain that it is that.

    What lies behind the limit is cut off, with the line that it falls into: half a rule may forbid everything.
    """
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        coding = "utf-16"
    elif body[:2].find(b"\x00") >= 0:
        coding = "utf-16-le" if body[1:2] == b"\x00" else "utf-16-be"
    else:
        coding = "utf-8-sig"
    text = body[:MAX_BYTES].decode(coding, "replace").replace("\x00", "")
    if len(body) > MAX_BYTES:
        text = text[: max(text.rfind("\n"), text.rfind("\r"), 0)]
    return text


def condensed(text: str) -> str:
    """Return the lines that mean something to us, in one form; none of a page that was sent in place of the file."""
    return "".join(f"{name}: {value}\n" for name, value in _lines(text))


def read_rules(text: str, *, token: str, origin: str) -> RobotsRules:
    """Return what a robots.txt says to the crawler whose product token is `token`.

    The groups that name it are merged, in whatever case it is written; only where there is none, those for `*` hold.
    What is no line of a robots.txt, as in a page that was sent in its place, says nothing.
    """
    own = token.casefold()
    # Of the groups for others nothing is kept: a file may have a rule for each of ten thousand crawlers.
    groups = {agent: _Group() for agent in (own, "*", *_AI_AGENTS) if agent}
    found: set[str] = set()
    everybody = _Group()
    sitemaps: dict[str, None] = {}
    named: dict[str, _Group] = {}
    is_for_somebody, in_rules = False, False
    for name, value in _lines(text):
        if name == "user-agent":
            if in_rules:
                named, is_for_somebody, in_rules = {}, False, False
            if agent := _agent(value):
                is_for_somebody = True
                if agent in groups:
                    found.add(agent)
                    named[agent] = groups[agent]
        elif name == "sitemap":
            if len(sitemaps) < MAX_SITEMAPS and (sitemap := _absolute(value, origin)):
                sitemaps[sitemap] = None
        elif name == "content-usage":
            for group in named.values() if is_for_somebody else [everybody]:
                _add_usages(group, value)
        else:
            in_rules = True
            for group in named.values():
                _add(group, name, value)
    group = groups[own if own in found else "*"]
    said = [everybody, groups["*"], *([groups[own]] if own in found else [])]
    return RobotsRules(
        crawl_delay=max(group.crawl_delays, default=None),
        sitemaps=tuple(sitemaps),
        ai_agents=tuple(sorted(name for name in _AI_AGENTS & found if _shuts_out(groups[name]))),
        _matcher=_matcher(tuple(group.rules)),
        _usages=tuple((path, use, answer) for each in said for (path, use), answer in each.usages.items()),
    )


def _absolute(address: str, origin: str) -> str | None:
    if not address or len(address) > MAX_ADDRESS_LENGTH:
        return None
    try:
        return urljoin(f"{origin}/", address)
    except ValueError:
        return None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield the lines that mean something to us, as (field, value)."""
    for line in _LINE_ENDS.split(text):
        content = line.partition("#")[0].strip()
        name, colon, value = content.partition(":")
        if not colon or name.strip().lower() not in _FIELDS:
            # `Disallow /private`: forgiven by most.
            words = content.split(None, 1)
            name, value = (words[0].rstrip(":"), words[1]) if len(words) == 2 else ("", "")
        known = _FIELDS.get(" ".join(name.lower().split()))
        if known is not None:
            yield known, value.strip()


def _agent(value: str) -> str:
    """Return whom a `User-agent` line names: `foobot` of `FooBot/1.0 (…)`, or `*`."""
    if value.startswith("*"):
        return "*"
    found = _TOKEN.match(value)
    return found[0].casefold() if found else ""


def _add(group: _Group, name: str, value: str) -> None:
    if name == "crawl-delay":
        if found := _SECONDS.match(value):
            group.crawl_delays.append(float(found[0]))
    elif value:
        group.rules[name, value] = None


def _add_usages(group: _Group, value: str) -> None:
    """Add what `ai-train=no, search=yes` or `/path train-ai=n` says; of the same use of a path the last word holds."""
    path, _, rest = value.partition(" ") if value.startswith("/") else ("/", "", value)
    for found in _USAGE.finditer(rest):
        use, answer = (path, found[1].lower()), found[2].lower()
        if use in group.usages or len(group.usages) < MAX_USAGES:
            group.usages[use] = answer


def _matcher(rules: Sequence[tuple[str, str]]) -> Protego | None:
    if not rules:
        return None
    lines = (f"{name}: {_OTHER_LINE_ENDS.sub(_escaped, value)}" for name, value in rules)
    return Protego.parse("\n".join(["User-agent: *", *lines]))


def _escaped(found: re.Match[str]) -> str:
    return quote(found[0])


def _shuts_out(group: _Group) -> bool:
    return ("disallow", "/") in group.rules and not any(name == "allow" for name, _ in group.rules)
