"""What could command a terminal, forge a line or hide is made visible; what writes languages stays."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from rich.table import Table
from rich.text import Text

from storage.escaping import json_text, plain_line, printable, printable_line, xml_text
from storage.rendering import PrintableConsole

COMMANDS = [chr(number) for number in (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0))]
HIDING = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200b", "\u2028", "\u2029", "\ufeff"]
BEYOND = ["\U000e0041", "\ud800"]


@pytest.mark.parametrize("character", [*COMMANDS, *HIDING, *BEYOND])
def test_it_is_made_visible(character):
    shown = printable(f"a{character}b")
    assert character not in shown
    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert shown.isascii()
    written = json_text({"text": character})
    assert character not in written
    assert json.loads(written) == {"text": character}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202elit\u202c", "\\u202elit\\u202c"),
        ("\U000e0041", "\\U000e0041"),
        ("one\ttwo\nthree", "one\ttwo\nthree"),
        ("می\u200cخواهم \u200f«سلام»", "می\u200cخواهم \u200f«سلام»"),
        ("👩\u200d🚀 “Østerholm” – 100\u00a0%", "👩\u200d🚀 “Østerholm” – 100\u00a0%"),
    ],
)
def test_how_it_looks(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_a_line_stays_one():
    assert printable_line("a\nb\tc\r\u2028d\x85e") == "a\\x0ab\\x09c\\x0d\\u2028d\\x85e"


@pytest.mark.parametrize("character", [*COMMANDS, *HIDING, *BEYOND])
def test_a_plain_line_is_without_it(character):
    assert plain_line(f"a{character}b") in ("ab", "a b")
    assert plain_line("می\u200cخواهم – 100\u00a0%") == "می\u200cخواهم – 100\u00a0%"


@given(st.text(st.characters(min_codepoint=0x7F, max_codepoint=0x206F)))
def test_xml_says_the_same_to_a_program(text):
    written = xml_text(f"<a b='{text}'>{text}</a>")
    assert printable(written) == written
    read = etree.fromstring(written)
    assert (read.get("b"), read.text or "") == (text, text)


@given(st.text(st.characters(max_codepoint=0x206F)))
def test_json_says_the_same_to_a_program(text):
    for ascii_only in (True, False):
        written = json_text([text], ascii_only=ascii_only, indent=2)
        assert json.loads(written) == [text]
        assert printable(written) == written


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_that_is_printed_by_any_way_escapes(terminal):
    output = io.StringIO()
    console = PrintableConsole(
        file=output, force_terminal=terminal, color_system=None, highlight=False, markup=False, emoji=False
    )
    hostile = "\x1b]0;owned\x07 \x9b31m \u202eevil"
    table = Table(hostile)
    table.add_row(Text(hostile))
    for printed in (hostile, Text(hostile, style="bold"), table):
        console.print(printed)
    assert not set(output.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "")) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert output.getvalue().count("owned") == 4
