"""Remembers what was made of texts lately, within a bound, so that it is made once and where it holds up nobody."""

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST_CHARACTERS = 4_000_000
"""Characters of texts and of what was made of them; a long article has some twenty thousand."""


class Remembered:
    """A function from text to text that remembers the texts that it was asked for last. Use from any thread."""

    def __init__(self, make: Callable[[str], str], *, most_characters: int = MOST_CHARACTERS) -> None:
        self.__doc__ = make.__doc__
        self._make = make
        self._most_characters = most_characters
        self._lock = threading.Lock()
        self._known: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def __call__(self, text: str) -> str:
        """Return what is made of a text."""
        with self._lock:
            made = self._known.get(text)
            if made is not None:
                self._known.move_to_end(text)
                return made
        made = self._make(text)
        self.keep(text, made)
        return made

    def keep(self, text: str, made: str) -> None:
        """Remember what somebody else made of a text."""
        with self._lock:
            if text in self._known:
                return
            self._known[text] = made
            self._characters += len(text) + len(made)
            while self._characters > self._most_characters and self._known:
                old, made_of_it = self._known.popitem(last=False)
                self._characters -= len(old) + len(made_of_it)

    @property
    def characters(self) -> int:
        """How many characters are remembered."""
        return self._characters


def remembered(make: Callable[[str], str]) -> Remembered:
    """Have a function remember the texts that it was asked for last."""
    return Remembered(make)
