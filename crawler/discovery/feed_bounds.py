"""Bounds a feed before it is parsed, so that no feed costs more than seconds. Pure.

feedparser takes about 40 µs for each tag, more than 1 µs for each reference (`&amp;`), and time that grows with the
square of the attributes of one tag, of the namespaces, of an author's name without an address, of blank lines before
the root, of quotation marks that nothing closes, and of much else. So it is handed only what a reader of links needs,
in a plain form, by one pass over the bytes that takes about a second for 20 MB: the elements that entries stand in, the
entries, and of both the children that say something of link, title, date and rhythm (in most feeds a tenth of the
bytes). Comments, processing instructions, the document type, text outside those children, monstrous tags and monstrous
children are left out; attributes are written in quotes; and everything is cut behind 10,000 entries. A feed of 10,000
entries and 10 MB then takes 2.5 s; one that is not well-formed 6 s, as it is read a second time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawler.discovery.feed_characters import declared_charset, usable_charset, without_unusable_declaration
from crawler.discovery.paid_marks import markup_marks_as_paid

MAX_ENTRIES = 10_000
MAX_TAGS = 150_000
MAX_REFERENCES = 1_000_000
MAX_TOKENS = 2_000_000
"""Tags, comments and stray marks that are gone through; a feed of 10,000 entries with whole articles has half of it."""
MAX_BYTES = 20 * 1024 * 1024
MAX_TAG_BYTES = 16 * 1024
MAX_CHILD_BYTES = 64 * 1024
"""The longest title, link or date that is read, as markup; what they come to has a thousand characters at most."""
MAX_NAMESPACES = 200
"""Prefixes that a feed may declare; those with the most have some thirty."""
MAX_BASES = 32
"""How deep in elements an `xml:base` counts: each may make the addresses below it longer."""
MAX_BASE_BYTES = 2_048
MAX_ENTITIES = 500
"""Entities that a document type may declare; the sets of HTML's that some feeds copy have 253."""

_BEGINNING = 64 * 1024
"""Bytes within which the root must begin."""

# Quotation marks that nothing closes within a tag are characters of it; then its first `>` ends it.
_MARKUP = re.compile(
    rb"<(?:(?P<section>!\[CDATA\[|!--|\?)"
    rb"|(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]*+)"
    rb"(?:(?P<rest>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>|(?P<unclosed>[^<>]*+)>)"
    rb"|)"
)
_ENDINGS = {b"![CDATA[": b"]]>", b"!--": b"-->", b"?": b"?>"}
_ATTRIBUTES = re.compile(rb"(?:\s++[A-Za-z_][\w.:-]*+\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'))*+\s*+/?")
_ATTRIBUTE = re.compile(rb"(?<![\w.:-])([A-Za-z_][\w.:-]*+)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)'|([^\s\"'<>]++))")
_PARTICULAR = re.compile(rb"\bxmlns\b|\bbase\s*+=", re.IGNORECASE)
_ENTITY = re.compile(
    rb"<!ENTITY\s++([A-Za-z_]\w{0,63}+)\s++(?:\"(&#\w{1,8};|[^&<>\"]{0,200}+)\"|'(&#\w{1,8};|[^&<>']{0,200}+)')\s*+>"
)
_REFERENCE = re.compile(rb"&([A-Za-z_]\w{0,63}+);")
_CONTAINERS = frozenset({b"rss", b"rdf", b"feed", b"channel"})
_ENTRY_NAMES = frozenset({b"item", b"entry"})
_WANTED = frozenset(
    {b"title", b"link", b"guid", b"id", b"origlink", b"pubdate", b"date", b"published", b"updated", b"modified"}
    | {b"created", b"issued", b"comments", b"enclosure"}
    | {b"ttl", b"skiphours", b"skipdays", b"updateperiod", b"updatefrequency"}
)
_WITH_MARKUP = frozenset({b"title", b"skiphours", b"skipdays"})
"""Wanted elements that have elements of their own."""
# Wanted only where they say that the entry is paid for: some feeds give fifty to an entry.
_MARKS = frozenset({b"category", b"subject"})
_ENTRY_BEGINS = re.compile(rb"<(?:[A-Za-z_][\w.-]*+:)?+(?:item|entry)[\s/>]", re.IGNORECASE)
_XML_DECLARATION = re.compile(rb"\A\s*+<\?xml[^>]*\?>")
_CHARSET = re.compile(r"charset\s*+=\s*+[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Document:
    """XML as bytes, what it is encoded in if that is known, and its root element's name with prefix, or None."""

    body: bytes
    charset: str | None
    root: str | None

    @property
    def root_name(self) -> str:
        """The root's name in lower case without prefix; empty where there is none."""
        return _local((self.root or "").encode()).decode()


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A feed within the bounds, whether anything had to be cut away for that, and about how many entries.

    `was_mended` says that it is well-formed only by what was left out or written otherwise.
    """

    body: bytes
    was_cut: bool
    entries_cut: int
    was_mended: bool


def read_document(body: bytes, *, content_type: str | None) -> Document:
    """Return the XML of a response's body with what is known of its encoding.

    UTF-16 becomes UTF-8. What decodes as UTF-8 is UTF-8, whatever the labels say; else the label of the header holds,
    and after it the one of the XML declaration, which is left for the parser to find. Labels of no charset are dropped.
    """
    text = body
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = _XML_DECLARATION.sub(b"", text.decode("utf-16", errors="replace").encode("utf-8", errors="replace"))
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip()
    try:
        text.decode("utf-8")
        charset: str | None = "utf-8"
    except UnicodeDecodeError:
        label = _CHARSET.search(content_type or "")
        charset = usable_charset(label[1]) if label else None
        text = without_unusable_declaration(text)
    return Document(body=text, charset=charset, root=_root(text))


def _root(body: bytes) -> str | None:
    if not body.startswith(b"<"):
        return None
    if re.match(rb"<!doctype\s+html", body, re.IGNORECASE):
        return "html"
    root = next(_named(body[:_BEGINNING]), None)
    return root["name"].decode("ascii", errors="replace") if root else None


def _named(body: bytes) -> Iterator[re.Match[bytes]]:
    return (token for token, _ in _tokens(body, 0) if token["name"])


def _tokens(body: bytes, start: int) -> Iterator[tuple[re.Match[bytes], int]]:
    """Give what begins with `<`, and where it ends. What is begun and never ended is a stray mark."""
    last = {section: body.rfind(ending) for section, ending in _ENDINGS.items()}
    at = start
    while (token := _MARKUP.search(body, at)) is not None:
        at = token.end()
        section = token["section"]
        if section is not None:
            ending = _ENDINGS[section]
            # Where no ending is left, none is looked for until the end of the feed, each time anew.
            at = body.index(ending, at) + len(ending) if at <= last[section] else token.start() + 1
        yield token, at


def bound(document: Document) -> Bounded:
    """Return the feed without what is not needed, cut where it exceeds the bounds."""
    body = document.body[:MAX_BYTES]
    root = next(_named(body[:_BEGINNING]), None)
    start = root.start() if root else 0
    scan = _Scan(body, entities=_entities(body[:start]))
    at = start
    for token, end in _tokens(body, start):
        scan.take_text(at, token.start())
        scan.take(token, end)
        at = end
        if scan.is_full:
            break
    else:
        scan.take_text(at, len(body))
    kept = scan.kept()
    was_cut = scan.is_full or len(document.body) > MAX_BYTES
    if was_cut:
        kept += _closing(document.root or "rss")
    if document.charset is None and (charset := declared_charset(body)):
        kept = f'<?xml version="1.0" encoding="{charset}"?>\n'.encode("ascii", errors="replace") + kept
    entries_cut = len(_ENTRY_BEGINS.findall(document.body, scan.cut_at(at))) if was_cut else 0
    return Bounded(body=kept, was_cut=was_cut, entries_cut=entries_cut, was_mended=scan.was_mended)


def _entities(head: bytes) -> dict[bytes, bytes]:
    """Return the entities that a document type declares and that stand for text or one character; the first holds."""
    found: dict[bytes, bytes] = {}
    for entity in _ENTITY.finditer(head):
        if len(found) >= MAX_ENTITIES:
            break
        found.setdefault(entity[1], entity[2] or entity[3] or b"")
    return found


@dataclass(slots=True)
class _Child:
    """A child of an entry, or of what entries stand in, that the scan is in.

    `depth` is how deep in elements of its own name the scan is. `pieces`, `tags`, `references` and `was_mended` are
    what they were before it, `start` is where it begins. `size` counts the bytes kept of it.
    """

    name: bytes
    local: bytes
    start: int
    pieces: int
    tags: int
    references: int
    was_mended: bool
    depth: int = 1
    size: int = 0


class _Scan:
    """Goes through the markup of a feed and keeps what is needed of it."""

    def __init__(self, body: bytes, *, entities: dict[bytes, bytes]) -> None:
        self._body = body
        self._entities = entities
        self._pieces: list[bytes] = []
        self._tags = 0
        self._references = 0
        self._tokens = 0
        self._entries = 0
        self._in_entry = False
        self._entry_from = (0, 0)
        self._is_marked = False
        self._depth = 0
        self._namespaces: set[bytes] = set()
        # A child that is not wanted is gone once it has ended. Until then what is wanted within it is kept: some
        # programs never end what is empty.
        self._unwanted: _Child | None = None
        self._wanted: _Child | None = None
        self.was_mended = False

    @property
    def is_full(self) -> bool:
        """Whether the bounds are reached."""
        return (
            self._entries > MAX_ENTRIES
            or self._tags > MAX_TAGS
            or self._references > MAX_REFERENCES
            or self._tokens > MAX_TOKENS
        )

    def cut_at(self, end: int) -> int:
        """Return where a feed that is read up to `end` is cut: an entry that is begun is lost as a whole."""
        return self._entry_from[0] if self._in_entry and self.is_full else end

    def kept(self) -> bytes:
        """Return what is kept."""
        if self.is_full and self._in_entry:
            del self._pieces[self._entry_from[1] :]
        return b"".join(self._pieces)

    def take_text(self, start: int, end: int) -> None:
        """Take in text between two tags."""
        if end > start and self._wanted is not None:
            text = self._body[start:end]
            if self._entities and b"&" in text:
                text = _REFERENCE.sub(lambda found: self._entities.get(found[1], found[0]), text)
            self._keep_inside(text)

    def take(self, token: re.Match[bytes], end: int) -> None:
        """Take in a tag, or whatever else begins with `<`, up to `end`."""
        self._tokens += 1
        if token["name"] is not None:
            self._take_tag(token)
        elif end == token.start() + 1:
            self.was_mended = True
            self._keep_inside(b"&lt;")
        elif token["section"] == b"![CDATA[":
            self._keep_inside(self._body[token.start() : end], is_text=True)

    def _keep_inside(self, piece: bytes, *, is_text: bool = False) -> None:
        child = self._wanted
        if child is None:
            return
        child.size += len(piece)
        if child.size <= MAX_CHILD_BYTES:
            self._pieces.append(piece)
            if not is_text:
                self._references += piece.count(b"&")
        else:
            self.was_mended = True

    def _take_tag(self, token: re.Match[bytes]) -> None:
        name = token["name"]
        local = _local(name)
        ends = bool(token["end"])
        is_child = (self._unwanted is not None and name == self._unwanted.name) or (
            self._wanted is not None and name == self._wanted.name
        )
        if local in _ENTRY_NAMES and not is_child:
            self._take_entry(token, ends=ends)
            return
        is_whole = not ends and _rest(token).endswith(b"/")
        if self._wanted is not None and not (ends or is_child) and self._ends_with(self._wanted, local):
            self._wanted = None
        if self._wanted is not None:
            self._take_inside(self._wanted, token, ends=ends, is_whole=is_whole)
        elif self._unwanted is None and local in _CONTAINERS and (ends or not self._in_entry):
            self._keep_tag(token)
        elif not ends and local in _WANTED:
            self._wanted = None if is_whole else self._child(token, local)
            self._keep_tag(token)
        elif not ends and self._unwanted is None:
            self._take_unwanted(token, local, is_whole=is_whole)
        if self._unwanted is not None and name == self._unwanted.name and token.start() > self._unwanted.start:
            self._leave(self._unwanted, token, ends=ends, is_whole=is_whole)

    def _take_entry(self, token: re.Match[bytes], *, ends: bool) -> None:
        self._wanted = self._unwanted = None
        self._in_entry = not ends
        self._is_marked = False
        if not ends:
            self._entries += 1
            self._entry_from = (token.start(), len(self._pieces))
        self._keep_tag(token)

    def _take_inside(self, child: _Child, token: re.Match[bytes], *, ends: bool, is_whole: bool) -> None:
        """Take in a tag within a wanted child, or the one that ends it."""
        if token["name"] == child.name and not is_whole and child is not self._unwanted:
            child.depth += -1 if ends else 1
            if child.depth == 0:
                self._wanted = None
                if child.size > MAX_CHILD_BYTES:
                    self._forget(child)
                    self.was_mended = True
                else:
                    self._keep_tag(token)
                return
        if token["name"] == child.name or child.local in _WITH_MARKUP:
            child.size += len(token[0])
            if child.size <= MAX_CHILD_BYTES:
                self._keep_tag(token)
            else:
                self.was_mended = True

    @staticmethod
    def _ends_with(child: _Child, local: bytes) -> bool:
        """Whether a wanted child that nothing ended is over where an element of this name begins."""
        return local in _WANTED and child.local not in _WITH_MARKUP

    def _leave(self, child: _Child, token: re.Match[bytes], *, ends: bool, is_whole: bool) -> None:
        """Take in the end of a child that is not wanted, or an element of the same name within it."""
        if is_whole:
            return
        child.depth += -1 if ends else 1
        if child.depth > 0:
            return
        self._unwanted = self._wanted = None
        markup = self._body[child.start : token.end()]
        if child.local in _MARKS and self._in_entry and not self._is_marked and markup_marks_as_paid(markup):
            self._is_marked = True
        else:
            self._forget(child)

    def _take_unwanted(self, token: re.Match[bytes], local: bytes, *, is_whole: bool) -> None:
        """Take in where a child begins that is not wanted, or that is wanted only as a mark."""
        is_mark = local in _MARKS and self._in_entry and not self._is_marked
        if not is_whole:
            self._unwanted = self._child(token, local)
            # Whether a mark is kept is known when it ends.
            if is_mark:
                self._wanted = self._unwanted
                self._keep_tag(token)
        elif is_mark and markup_marks_as_paid(token[0]):
            self._is_marked = True
            self._keep_tag(token)

    def _child(self, token: re.Match[bytes], local: bytes) -> _Child:
        return _Child(
            name=token["name"],
            local=local,
            start=token.start(),
            pieces=len(self._pieces),
            tags=self._tags,
            references=self._references,
            was_mended=self.was_mended,
        )

    def _forget(self, child: _Child) -> None:
        del self._pieces[child.pieces :]
        self._tags, self._references, self.was_mended = child.tags, child.references, child.was_mended

    def _keep_tag(self, token: re.Match[bytes]) -> None:
        """Keep a tag, in a form that every parser understands alike."""
        name, rest = token["name"], _rest(token)
        self._tags += 1
        if token["end"]:
            self._depth = max(self._depth - 1, 0)
            self._pieces.append(b"</" + name + b">")
            return
        self._depth += not rest.endswith(b"/")
        if len(token[0]) > MAX_TAG_BYTES:
            self.was_mended = True
            return
        # Twenty attributes cost as much as another tag, and forty as much as four.
        self._tags += rest.count(b"=") ** 2 // 400
        self._references += rest.count(b"&")
        if _ATTRIBUTES.fullmatch(rest) is None:
            self.was_mended = True
        elif not rest or _PARTICULAR.search(rest) is None:
            self._pieces.append(token[0])
            return
        attributes = b"".join(
            b' %s="%s"' % (attribute, value)
            for attribute, value in _attributes(rest)
            if self._may_stand(attribute, value)
        )
        self._pieces.append(b"<" + name + attributes + (b"/>" if rest.endswith(b"/") else b">"))

    def _may_stand(self, attribute: bytes, value: bytes) -> bool:
        if attribute.lower().startswith(b"xmlns"):
            if len(self._namespaces) < MAX_NAMESPACES:
                self._namespaces.add(attribute)
            return attribute in self._namespaces
        if attribute.lower() in (b"xml:base", b"base"):
            return self._depth <= MAX_BASES and len(value) <= MAX_BASE_BYTES
        return True


def _rest(token: re.Match[bytes]) -> bytes:
    rest: bytes | None = token["rest"]
    return (token["unclosed"] if rest is None else rest) or b""


def _attributes(rest: bytes) -> list[tuple[bytes, bytes]]:
    """Return the attributes of a tag, each name once, in a form that may stand in double quotes."""
    found: dict[bytes, bytes] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest):
        found.setdefault(name, double or single.replace(b'"', b"&quot;") or bare.removesuffix(b"/"))
    return list(found.items())


def _local(name: bytes) -> bytes:
    return name.rpartition(b":")[2].lower()


def _closing(root: str) -> bytes:
    """Return the tags that end a feed of this root; in RSS 1.0 the entries stand outside the channel."""
    return f"</channel></{root}>".encode() if root.lower() == "rss" else f"</{root}>".encode()
