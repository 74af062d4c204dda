"""The manual says what the code says: every view and column, every setting, every outcome, every command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.core import TyperGroup

from crawler.settings import CrawlSettings, SourceSettings
from scheduler.cli import app
from scheduler.recrawl import RULES
from scheduler.sample_configuration import SAMPLE_CONFIGURATION
from scheduler.settings import ServiceSettings
from storage.model import NextReason, PollReason
from storage.outcomes import OUTCOMES, Outcome
from storage.settings import ArchiveSettings, DatabaseSettings
from tests.reference_pages import TABLES, with_tables

CHECKOUT = Path(__file__).parents[2]
MANUAL = {path.stem: path.read_text(encoding="utf-8") for path in (CHECKOUT / "docs").glob("*.md")}
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    "[database]": DatabaseSettings,
    "[archive]": ArchiveSettings,
    "[crawl]": CrawlSettings,
    "[service]": ServiceSettings,
    "[[source]]": SourceSettings,
}
_CELL_BORDER = re.compile(r"(?<!\\)\|")


def chapter(page: str, heading: str) -> str:
    """Return what stands under a heading of a page of the manual, up to the next one of its rank or above."""
    start = re.search(rf"^(#+) {re.escape(heading)}\n", MANUAL[page], re.MULTILINE)
    assert start is not None, f"docs/{page}.md has no chapter {heading}"
    rest = MANUAL[page][start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table in a text, without its heading."""
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if re.fullmatch(r"(\|-+)+\|", line)]
    assert rules, "there is no table"
    rows = []
    for line in lines[rules[0] + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in _CELL_BORDER.split(line)[1:-1]])
    return rows


def code(cell: str) -> str:
    """Return a cell's text, which must be code from end to end."""
    assert cell.startswith("`") and cell.endswith("`"), f"{cell} is not written as code"
    return cell[1:-1]


@pytest.mark.parametrize("page", MANUAL)
def test_the_tables_that_come_from_the_code_are_as_they_would_be_written_now(page):
    assert with_tables(MANUAL[page]) == MANUAL[page], "python -m tests.reference_pages writes them"


def test_every_table_that_can_be_written_stands_in_the_manual_once():
    named = [name for text in MANUAL.values() for name in re.findall(r"^<!-- (\w+) -->$", text, re.MULTILINE)]
    assert sorted(named) == sorted(TABLES)


def default_of(field: FieldInfo) -> str | None:
    """Return how a default is written, or None for one that is worked out when the program runs."""
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return None
    value: Any = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{value}`" if isinstance(value, int | float) else f'`"{value}"`'


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_with_its_default(section):
    rows = table(chapter("configuration", f"`{section}`"))
    fields = SECTIONS[section].model_fields
    assert [code(row[0]) for row in rows] == list(fields)
    for key, _, default, meaning in rows:
        expected = default_of(fields[code(key)])
        assert expected in (None, default), f"{section} {key}: {expected} is the default"
        assert meaning.endswith("."), f"{section} {key} has no meaning"


def test_the_sample_configuration_names_settings_that_exist():
    known = {key for settings in SECTIONS.values() for key in settings.model_fields}
    written = set(re.findall(r"^(?:# )?(\w+) = ", SAMPLE_CONFIGURATION, re.MULTILINE))
    assert written <= known


def test_every_outcome_has_its_row():
    assert [row.outcome for row in OUTCOMES] == list(Outcome)
    assert all(row.meaning.endswith((".", "…")) for row in OUTCOMES)


def test_every_rule_of_recrawling_is_documented():
    assert {code(rule) for rule, _ in table(chapter("how-it-decides", "Rules of recrawling"))} == set(RULES)


def test_every_reason_of_a_poll_is_documented():
    assert [code(reason) for reason, _ in table(chapter("how-it-decides", "Why a feed is due"))] == list(PollReason)


def test_every_reason_of_a_look_is_documented():
    rows = table(chapter("how-it-decides", "Why a page is due"))
    assert sorted(code(reason) for reason, _ in rows) == sorted(NextReason)
    assert all(meaning.endswith(".") for _, meaning in rows)


def commands(group: TyperGroup, *before: str) -> Iterator[tuple[str, Any]]:
    """Give every command with its words."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def command_line() -> TyperGroup:
    """Return the whole command."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def test_every_command_and_option_is_documented():
    rows = {re.sub(r" [\[A-Z].*", "", code(row[0])): row[1] for row in table(MANUAL["commands"])}
    found = {f"morgue {words}": command for words, command in commands(command_line())}
    assert set(rows) == set(found)
    for words, command in found.items():
        options = {name for option in command.params for name in option.opts if name.startswith("--")}
        missing = {name for name in options - {"--help"} if name not in rows[words]}
        assert not missing, f"{words}: {missing}"


def test_every_general_option_is_documented():
    text = MANUAL["commands"]
    options = {name for option in command_line().params for name in option.opts}
    assert {name for name in options if f"`{name}" not in text} == set()


def test_no_command_is_named_that_does_not_exist():
    known = {words for words, _ in commands(command_line())}
    words = r"((?:db |sources )?[a-z]+)"
    for text in (README, *MANUAL.values()):
        named = re.findall(rf"`morgue {words}", text) + re.findall(rf"^\$ morgue {words}", text, re.M)
        assert set(named) <= known


def headings(text: str) -> Iterator[str]:
    """Give the anchors of a page's headings, as GitHub and Markdown's own converters make them."""
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.M):
        yield re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in MANUAL)])
def test_every_link_leads_somewhere(page):
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (CHECKOUT / page).parent / path if path else CHECKOUT / page
        assert target.exists(), link
        if anchor:
            assert anchor in set(headings(target.read_text(encoding="utf-8"))), link


def test_every_page_of_the_manual_is_in_its_contents():
    for_programs = (CHECKOUT / "docs" / "llms.txt").read_text(encoding="utf-8")
    site = (CHECKOUT / "zensical.toml").read_text(encoding="utf-8")
    for contents, pattern in ((MANUAL["index"], r"\]\((\S+)\.md\)"), (for_programs, r"\]\((\S+)\.md\)")):
        assert set(re.findall(pattern, contents)) == set(MANUAL) - {"index"}
    assert set(re.findall(r'"(\S+)\.md"', site)) == set(MANUAL)


def test_the_readme_takes_five_minutes():
    assert len(README.encode()) <= 6 * 1024
