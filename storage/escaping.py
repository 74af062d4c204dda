"""What is shown of other people's text: nothing in it may command a terminal, forge a line or hide what it says.

Escape sequences move the cursor, set the window's title or write the clipboard (C0 and C1 controls, DEL); direction
overrides and isolates make a line read as another one; characters without width hide in addresses and names; line
separators begin a line that we did not write. Joiners (U+200C, U+200D) and direction marks (U+200E, U+200F) are part of
how Persian, Hindi, Arabic or emoji are written, command nothing, and stay.
"""

import json
import re
import unicodedata
from typing import Any

_INVISIBLE = (
    "\u200b"  # a space without width
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u202a-\u202e\u2066-\u206f"  # direction overrides and isolates, deprecated format characters
    "\u2060-\u2064\ufeff"  # invisible joiners and operators, byte order marks
    "\ufff9-\ufffb"  # annotations
    "\U000e0000-\U000e007f"  # tags
    "\ud800-\udfff"  # lone surrogates, which no output takes
)
_CONTROLS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_INVISIBLE}]")
_CONTROLS_AND_BREAKS = re.compile(f"[\x00-\x1f\x7f-\x9f{_INVISIBLE}]")
_JSON_CONTROLS = re.compile(f"[\x7f-\x9f{_INVISIBLE}]")


def _visible(match: re.Match[str]) -> str:
    number = ord(match.group())
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def printable(text: str) -> str:
    """Return text with what could deceive or command made visible, as `\\x1b` or `\\u202e`; tabs and newlines stay."""
    return _CONTROLS.sub(_visible, text)


def printable_line(text: str) -> str:
    """Return `printable` text of one line: tabs and newlines are made visible too."""
    return _CONTROLS_AND_BREAKS.sub(_visible, text)


def plain_line(text: str) -> str:
    """Return text of one line without them, for names that people read and write: what has a width becomes a space."""
    return _CONTROLS_AND_BREAKS.sub(lambda match: "" if _has_no_width(match.group()) else " ", text)


def _has_no_width(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cs")


def xml_text(markup: str) -> str:
    """Return XML in which they stand as character references, which for a program that reads it changes nothing.

    The names of elements and attributes must not have any, nor the text what XML does not allow at all.
    """
    return _CONTROLS.sub(lambda match: f"&#x{ord(match.group()):x};", markup)


def json_text(value: Any, *, ascii_only: bool = False, indent: int | None = None, **options: Any) -> str:
    """Return a value as JSON in which such characters are escaped, which for a program that reads it changes nothing.

    Other text stays readable unless `ascii_only`. `options` are those of `json.dumps`.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, **options)
    return _JSON_CONTROLS.sub(_json_escape, text)


def _json_escape(match: re.Match[str]) -> str:
    character = match.group()
    # Beyond the basic plane JSON writes a pair of surrogates, as `json` does; it leaves DEL as it is.
    return f"\\u{ord(character):04x}" if character < "\U00010000" else json.dumps(character)[1:-1]
