"""The help of every command: plain words, examples, and nothing that is cut off or left out; and shell completion."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from scheduler.cli import app
from storage.command_line import MOST, whole_number
from storage.wording import counted

BRACKETS = ("<", ">", "{", "[]", "[[TARGET", "TEXT", "INTEGER", "RANGE", "list[")
"""What help must not say: names of types instead of what to write, and brackets whose content went missing."""


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the words of every command and group."""
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*words, name))


def help_of(*words: str, option: str = "--help") -> str:
    """Return what a command says of itself in a terminal of 80 columns."""
    result = CliRunner().invoke(app, [*words, option], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("words", list(commands(get_command(app))), ids=" ".join)
def test_help(words):
    said = help_of(*words)
    assert help_of(*words, option="-h") == said
    body, _, examples = said.partition("\nExamples:\n")
    assert examples.count("morgue") >= 1
    assert all(line.startswith(("  morgue", "  curl")) for line in examples.splitlines())
    assert all(len(line) <= 80 for line in body.splitlines())
    # Of "[TARGET]..." only the dots that say "several" may stand there, and none that cut a sentence off.
    assert not [line for line in body.splitlines()[1:] if line.endswith("...")]
    assert not [name for name in BRACKETS if name in body.replace('{"id","url","html_path"}', "")]


def test_help_keeps_double_brackets():
    assert "[[source]]" in help_of("sources")
    assert "[[source]]" in help_of("sources", "add")


def test_arguments_are_named_by_what_to_write_there():
    assert " diff [OPTIONS] ARTICLE [OLD] [NEW]" in help_of("diff")
    assert " crawl [OPTIONS] [TARGET]..." in help_of("crawl")
    assert "--timezone ZONE" in help_of("extract")
    assert "--limit N " in help_of("list")


def test_completion_is_offered():
    said = help_of()
    assert "--install-completion" in said
    assert "--show-completion" in said


@pytest.mark.parametrize("text", ["x", "", "1.5", "0", "-1", str(MOST + 1), "9" * 5000])
def test_numbers_that_are_none(text):
    with pytest.raises(Exception, match="is no whole number from 1 to 1,000,000,000"):
        whole_number(1)(text)
    assert whole_number(0)("0") == 0


def test_counting():
    assert [counted(number, "page") for number in (0, 1, 2, 1200)] == ["0 pages", "1 page", "2 pages", "1,200 pages"]
    assert counted(3, "index", "indexes") == "3 indexes"
