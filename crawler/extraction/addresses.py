"""What a page says about addresses: its own, and those of its article's parts. Values only; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PageAddresses:
    """The addresses in a page's markup, absolute and otherwise as they stand there; nothing of it is believed yet.

    `canonical` are the different targets of its canonical links, `own` is what `og:url` says, `linked_data` what
    the JSON-LD of the page's article says, `is_amp` whether the
    page calls itself an AMP page. `part` is the number of this page among the parts of its article, 1 where it has
    none; `first_part`, `next_part` and `whole` are the addresses of the first part, the next one, and of the article
    on one page, as far as links among the parts give them. `containers` are names of the elements that hold the
    paragraphs of a page that may be one of several, the one with most text first; empty where they have none.
    """

    canonical: tuple[str, ...] = ()
    own: str | None = None
    linked_data: str | None = None
    is_amp: bool = False
    part: int = 1
    first_part: str | None = None
    next_part: str | None = None
    whole: str | None = None
    containers: tuple[str, ...] = ()


NO_ADDRESSES = PageAddresses()
