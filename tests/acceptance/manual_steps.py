"""Reads the manual as a list of things to do, in its order: commands to type, files to write, queries to ask."""

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
OMISSION = "[…]"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command as it is typed, and the output that is shown under it."""

    typed: str
    shown: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class FileText:
    """Text that goes into a file: a new one, or at the end of one that is there."""

    name: str
    text: str
    append: bool


@dataclass(frozen=True, kw_only=True)
class Query:
    """An SQL query; `database` is `sqlite` or `postgresql` where it is for that one only."""

    sql: str
    database: str | None


Step = Command | FileText | Query


def steps(manual: str) -> list[Step]:
    """Return everything that the manual asks for, in its order.

    The fences say what each block is: `console` (lines that begin with `$ ` are typed) with an optional word for a kind
    of its own, `toml append=FILE`, `json file=FILE`, `sql` with an optional database; `text` asks for nothing.
    """
    found: list[Step] = []
    for fence in _FENCE.finditer(manual):
        language, _, rest = fence["info"].strip().partition(" ")
        if language == "text":
            continue  # a picture, or what needs another machine
        if language in ("console", "sh"):
            found += _commands(fence["text"], kind=rest)
        elif language == "sql":
            found.append(Query(sql=fence["text"], database=rest or None))
        elif rest.startswith(("append=", "file=")):
            way, _, name = rest.partition("=")
            found.append(FileText(name=name, text=fence["text"], append=way == "append"))
        else:
            raise ValueError(f"nobody knows what to do with a block of {fence['info']}")
    return found


def _commands(text: str, *, kind: str) -> list[Command]:
    """Return the commands of a block. The demonstration shows commands of its own: they are output."""
    commands: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ ") and not (commands and commands[-1].typed == "make crawl"):
            commands.append(Command(typed=line[2:], shown=(), kind=kind))
        elif commands:
            last = commands[-1]
            commands[-1] = Command(typed=last.typed, shown=(*last.shown, line), kind=kind)
        else:
            raise ValueError(f"output without a command: {line}")
    return commands


_SHAPES = (
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    # A time that changed only in part, as the differences show it, has no shape worth comparing.
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b[\d,]+ bytes\b"), "N bytes"),
    (re.compile(r"\s+"), " "),
)


def shape(line: str) -> str:
    """Return a line without what differs from run to run: times, ports, lengths and the width of columns."""
    for pattern, name in _SHAPES:
        line = pattern.sub(name, line)
    return line.strip()


def missing_line(shown: tuple[str, ...], printed: str) -> str | None:
    """Return the first line of `shown` that was not printed, or None if all were, in their order.

    Nothing else may stand between them but where `[…]` stands alone. A line that ends in `[…]` is the beginning of one.
    """
    wanted = [shape(line) for line in shown if line.strip()]
    lines = [shape(line) for line in printed.splitlines() if line.strip()]
    position, gap = 0, False
    for line in wanted:
        if line == OMISSION:
            gap = True
            continue
        while True:
            if position >= len(lines):
                return line
            fits = _fits(line, lines[position])
            position += 1
            if fits:
                break
            if not gap:
                return line
        gap = False
    return None if gap or position == len(lines) else f"nothing, and not {lines[position]!r}"


def _fits(wanted: str, line: str) -> bool:
    if wanted == line:
        return True
    return wanted.endswith(OMISSION) and line.startswith(wanted.removesuffix(OMISSION).rstrip())
