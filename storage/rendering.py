"""How articles, versions and differences are shown: as JSON rows for programs, as coloured text for people.

What publishers wrote never reaches a terminal raw: control characters and escapes are made visible first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from storage.article_fields import ARTICLE_FIELDS, ArticleField, Shape
from storage.difference import FieldDifference, SegmentKind
from storage.escaping import printable, printable_line
from storage.model import Article, ExtractedArticle, StatedTime, Version


class PrintableConsole(Console):
    """A console on which no text, wherever it comes from, shows anything but `printable` characters.

    Text is wrapped between words only: a URL that is longer than a line is left whole for the terminal to break, which
    copies and follows it whole.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, but neither fold nor crop a word that is longer than a line."""
        if not self.soft_wrap:
            objects = tuple(wrapped(one, self.width) if isinstance(one, str | Text) else one for one in objects)
        options.setdefault("overflow", "ignore")
        options.setdefault("crop", False)
        super().print(*objects, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of what is printed; rich's own control codes are segments of another kind."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


_WORD = re.compile(r"\s*\S+|\s+")


def wrapped(text: str | Text, width: int) -> Text:
    """Return a text whose lines are broken between words where they are wider than `width` cells.

    A line that is indented goes on a bit further in. A word that fits into no line stays where it is, and whole.
    """
    lines: list[Text] = []
    for line in (Text(text) if isinstance(text, str) else text).split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        indent += 2 if indent else 0
        breaks, at = [], 0
        for word in _WORD.finditer(line.plain):
            cells, bare = cell_len(word.group()), word.group().lstrip()
            if at and at + cells > width and indent + cell_len(bare) <= width:
                breaks.append(word.end() - len(bare))
                at, cells = indent, cell_len(bare)
            at += cells
        first, *others = line.divide(breaks)
        for piece in (first, *others[:-1]) if others else ():
            piece.rstrip()
        lines += [first, *(Text(" " * indent).append_text(piece) for piece in others)]
    return Text("\n").join(lines)


def instant(value: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC with a `Z`, to the microsecond where it has any."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def shown(value: datetime | None) -> str:
    """Return an instant for a person: UTC, to the second."""
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M:%S")


def _time_fields(name: str, value: StatedTime | None) -> dict[str, Any]:
    return {
        f"{name}_at": instant(value.instant) if value else None,
        f"{name}_local": value.local if value else None,
        f"{name}_zone_known": value.zone_known if value else None,
        f"{name}_raw": value.raw if value else None,
        f"{name}_found_in": value.found_in if value else None,
    }


def content_row(article: ExtractedArticle) -> dict[str, Any]:
    """Return the content fields of an article under the names that the views have."""
    row: dict[str, Any] = {}
    for field in fields(article):
        value = getattr(article, field.name)
        if field.name in ("published", "modified"):
            row.update(_time_fields(field.name, value))
        else:
            row[field.name] = list(value) if isinstance(value, tuple) else value
    return row


def article_row(article: Article) -> dict[str, Any]:
    """Return an article as `articles_v1` has it."""
    return {
        "article_id": article.article_id,
        "source": article.source_slug,
        "url": article.url,
        **content_row(article.content),
        "first_seen_at": instant(article.first_seen_at),
        "last_checked_at": instant(article.last_checked_at),
        "version_count": article.version_count,
        "version_id": article.version_id,
        "status": article.status,
        "opt_outs": list(article.opt_outs),
    }


def version_row(version: Version) -> dict[str, Any]:
    """Return a version as `article_versions_v1` has it."""
    return {
        "article_id": version.article_id,
        "version": version.number,
        "version_id": version.version_id,
        "change": version.change,
        "reverts_to": version.reverts_to,
        "captured_at": instant(version.captured_at),
        "last_seen_at": instant(version.last_seen_at),
        "content_digest": version.content_digest,
        **content_row(version.article),
        "warc_file": version.warc_file,
        "warc_offset": version.warc_offset,
    }


def article_table(articles: Sequence[Article]) -> Table:
    """Return the table of `morgue list`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", justify="right")
    table.add_column("v", justify="right")
    table.add_column("last checked (UTC)", no_wrap=True)
    table.add_column("source", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("headline")
    for article in articles:
        table.add_row(
            str(article.article_id),
            str(article.version_count),
            shown(article.last_checked_at),
            Text(printable_line(article.source_slug)),
            Text(printable_line(article.content.headline)),
        )
    return table


def history_table(versions: Sequence[Version]) -> Table:
    """Return the table of `morgue history`."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("v", justify="right")
    table.add_column("captured (UTC)", no_wrap=True)
    table.add_column("last seen (UTC)", no_wrap=True)
    table.add_column("change", no_wrap=True)
    table.add_column("words", justify="right")
    table.add_column("headline")
    for version in versions:
        change = (
            f"{version.change} (as v{_number_of(version.reverts_to, versions)})"
            if version.reverts_to
            else version.change
        )
        table.add_row(
            str(version.number),
            shown(version.captured_at),
            shown(version.last_seen_at),
            change,
            str(len(version.article.body.split())),
            Text(printable_line(version.article.headline)),
        )
    return table


def _number_of(version_id: int, versions: Sequence[Version]) -> str:
    return next((str(version.number) for version in versions if version.version_id == version_id), "?")


_SHOWN_APART = frozenset({"headline", "body"})


def print_article(console: Console, header: Mapping[str, object], article: ExtractedArticle) -> None:
    """Print one article in full: headline, facts, body."""
    console.print(Text(printable_line(article.headline), style="bold"))
    facts = dict(header)
    for field in ARTICLE_FIELDS:
        if field.name not in _SHOWN_APART and (value := getattr(article, field.name)):
            facts[field.name] = _fact(field, value)
    for name, value in facts.items():
        console.print(Text.assemble((f"{name}: ", "dim"), printable_line(str(value))))
    console.print()
    console.print(Text(printable(article.body)))


def _fact(field: ArticleField, value: Any) -> str:
    match field.shape:
        case Shape.LIST:
            return ", ".join(value)
        case Shape.TIME:
            return _stated(value)
        case _:
            return str(value)


def _stated(stated: StatedTime) -> str:
    if stated.instant is None:
        return f"{stated.local} (no zone given)"
    return f"{shown(stated.instant)} UTC (page: {stated.local})"


_STYLES = {SegmentKind.EQUAL: "", SegmentKind.INSERT: "bold green", SegmentKind.DELETE: "red strike"}
_CONTEXT_WORDS = 12


def print_difference(console: Console, differences: Sequence[FieldDifference]) -> None:
    """Print what differs, field by field. Insertions are green `{+…+}` and deletions red `[-…-]`, marked both by
    colour and by signs, so that a file or a colour-blind reader sees the same."""
    for difference in differences:
        console.print(Text(f"── {difference.field}", style="bold cyan"))
        text = Text()
        for position, segment in enumerate(difference.segments):
            content = printable(segment.text)
            if segment.kind is SegmentKind.EQUAL:
                text.append(_context(content, first=position == 0, last=position == len(difference.segments) - 1))
            elif segment.kind is SegmentKind.INSERT:
                text.append(_marked(content, "{+", "+}"), style=_STYLES[segment.kind])
            else:
                text.append(_marked(content, "[-", "-]"), style=_STYLES[segment.kind])
        console.print(text)
        console.print()


def _marked(text: str, before: str, after: str) -> str:
    """Put the signs around the words of a segment, leaving white space at its ends outside them."""
    core = text.strip()
    if not core:
        return text
    start = text.index(core)
    return text[:start] + before + core + after + text[start + len(core) :]


def _context(text: str, *, first: bool, last: bool) -> str:
    """Shorten a long stretch without changes to a few words beside the changes."""
    words = re.findall(r"\S+\s*", text)
    lead = re.match(r"\s*", text)
    space = lead.group() if lead else ""
    if len(words) <= 2 * _CONTEXT_WORDS + 8:
        return text
    head = "" if first else space + "".join(words[:_CONTEXT_WORDS])
    tail = "" if last else "".join(words[-_CONTEXT_WORDS:])
    return f"{head}{' ' if head and not head.endswith((' ', chr(10))) else ''}[…]{' ' if tail else ''}{tail}"
