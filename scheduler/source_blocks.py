"""Writes `[[source]]` blocks into a configuration. Pure but for `append_blocks`, which replaces the file."""

import json
import re
import tempfile
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from crawler.discovery.opml import OpmlSource
from crawler.settings import SourceSettings
from crawler.urls import registrable_domain
from scheduler.settings import load_settings
from storage.errors import ConfigurationError, UsageError
from storage.escaping import plain_line

_NO_SLUG = re.compile(r"[^a-z0-9._-]+")
_LONGEST_SLUG = 60


@dataclass(frozen=True, kw_only=True)
class SourceBlock:
    """One publisher as it is to stand in the configuration."""

    slug: str
    name: str | None = None
    homepage: str | None = None
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    needs_time_zone: bool = False


def is_slug(text: str) -> bool:
    """Whether a source may be called so."""
    try:
        SourceSettings(slug=text)
    except ValidationError:
        return False
    return True


def slug_for(url: str, taken: Collection[str]) -> str:
    """Return a name for the publisher at `url` that is not taken: `example.com`, then `example.com-2` …"""
    return _free(_NO_SLUG.sub("-", registrable_domain(url).lower()).strip("-._")[:_LONGEST_SLUG] or "source", taken)


def _free(slug: str, taken: Collection[str]) -> str:
    """Return a slug, with a number behind it if it is taken."""
    if slug not in taken:
        return slug
    return next(
        name for number in range(2, len(taken) + 3) if (name := f"{slug[:_LONGEST_SLUG]}-{number}") not in taken
    )


def toml_block(block: SourceBlock) -> str:
    """Return the TOML of one source."""
    lines = ["[[source]]", f"slug = {_string(block.slug)}"]
    if block.name:
        lines.append(f"name = {_string(block.name[:200])}")
    if block.homepage:
        lines.append(f"homepage = {_string(block.homepage)}")
    lines += [line for key in ("feeds", "sitemaps") if (line := _list(key, getattr(block, key)))]
    if block.needs_time_zone:
        lines.append('# timezone = "Europe/London"   # its pages give times without a zone: name theirs')
    return "\n".join(lines) + "\n"


def _list(key: str, urls: Sequence[str]) -> str:
    if not urls:
        return ""
    if len(urls) == 1:
        return f"{key} = [{_string(urls[0])}]"
    return f"{key} = [\n" + "".join(f"    {_string(url)},\n" for url in urls) + "]"


def _string(text: str) -> str:
    """Return a TOML basic string; what JSON escapes is what TOML escapes, once controls are gone."""
    return json.dumps(plain_line(text).strip(), ensure_ascii=False)


def append_blocks(path: Path, blocks: Sequence[SourceBlock], *, start: str) -> None:
    """Append sources to the configuration at `path`, or begin one with `start`. The file is replaced as a whole.

    Raises `ConfigurationError` where the result would be no valid configuration, `UsageError` where it cannot be
    written; then the file is as it was.
    """
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else start
        text = before.rstrip("\n") + "\n\n" + "\n".join(map(toml_block, blocks))
        tomllib.loads(text.removeprefix("\ufeff"))
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.resolve().parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
        written = Path(file.name)
        try:
            load_settings(written, {})
            written.chmod(mode)
            # A link stays a link to the file that is replaced.
            written.replace(path.resolve())
        finally:
            written.unlink(missing_ok=True)
    except ConfigurationError as problem:
        remedy = "write the source into it by hand"
        raise ConfigurationError(str(path), f"cannot be extended: {problem.problem}", remedy) from problem
    except tomllib.TOMLDecodeError as problem:
        remedy = "write the source into it by hand"
        raise ConfigurationError(str(path), f"cannot be extended: {problem}", remedy) from problem
    except OSError as problem:
        raise UsageError(str(path), f"cannot be written ({problem.strerror})", "check who may write there") from problem


def blocks_of_feeds(
    outlines: Sequence[OpmlSource], *, configured: Collection[str], taken: Collection[str]
) -> tuple[list[SourceBlock], list[tuple[str, str]]]:
    """Return a block for each publisher of a list of feeds, and (title, reason) of what was skipped.

    Feeds belong to one publisher when the list names one source for them, or else when their home pages, or else they
    themselves, share a registrable domain.
    """
    skipped: list[tuple[str, str]] = []
    groups: dict[tuple[str, str], list[OpmlSource]] = {}
    for outline in outlines:
        url = outline.xml_url
        if url is None:
            skipped.append((outline.title or "an outline", outline.skipped or "no_url"))
        elif url in configured:
            skipped.append((url, "is configured already"))
        else:
            named = outline.slug if outline.slug and is_slug(outline.slug) else ""
            groups.setdefault((named, named or registrable_domain(outline.html_url or url)), []).append(outline)
    names = set(taken)
    blocks = []
    # Those that have a name are to keep it, whatever would be made of the others' domains.
    for (named, _), group in sorted(groups.items(), key=lambda item: not item[0][0]):
        homepage = next((one.html_url for one in group if one.html_url), None)
        slug = _free(named, names) if named else slug_for(homepage or str(group[0].xml_url), names)
        names.add(slug)
        feeds = tuple(dict.fromkeys(str(one.xml_url) for one in group))
        blocks.append(SourceBlock(slug=slug, name=group[0].title, homepage=homepage, feeds=feeds))
    return blocks, skipped
