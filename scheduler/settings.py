"""From the configuration file and the environment to the settings of everything.

One TOML file: the one named by `--config`, else by `MORGUE_CONFIG`, else `./morgue.toml`, else none. A variable
`MORGUE_SECTION__KEY` overrides `key` of `[section]`. What is misspelt is an error and never a silent default.

Relative paths (`sqlite:///morgue.db`, `[archive] directory`) are relative to the folder of the configuration file, so
that one configuration means one database wherever the command is typed; in a variable, or without a file, they are
relative to the current folder.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from crawler.intervals import parse_duration
from crawler.settings import CrawlSettings, Poll, Recrawl, SourceSettings
from storage.errors import ConfigurationError
from storage.model import RecrawlRule
from storage.settings import ArchiveSettings, DatabaseSettings, hide_password

OFF = ("", "off", "none")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_LEAST_MEMORY = 64 << 20

DEFAULT_FILE = Path("morgue.toml")
PREFIX = "MORGUE_"
CONFIG_VARIABLE = "MORGUE_CONFIG"
TEST_PREFIX = "MORGUE_TEST_"
"""Variables that only the tests read."""

SHORTEST_WATCH = timedelta(hours=1)
SHORTEST_HALF_LIFE = timedelta(minutes=1)

FOREVER = "forever"
AFFORDABLE = "auto"
SHORTEST_KEPT = timedelta(days=7)
"""Attempts are counted by the day and shown by the day; sooner than this they are not thinned out."""
_LOCAL_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:)(.+)", re.DOTALL)


def _size(text: str) -> str:
    parse_size(text)
    return text.strip()


def _watch(text: str) -> str:
    if not parse_duration(text) >= SHORTEST_WATCH:
        raise ValueError("must be an hour at least")
    return text.strip().lower()


def _half_life(text: str) -> str:
    if text.strip().lower() == AFFORDABLE:
        return AFFORDABLE
    if not parse_duration(text) >= SHORTEST_HALF_LIFE:
        raise ValueError("must be a minute at least")
    return text.strip().lower()


def _keeping(text: str) -> str:
    text = text.strip().lower()
    if text != FOREVER and not parse_duration(text) >= SHORTEST_KEPT:
        raise ValueError("must be a week at least, or forever")
    return text


def _http_address(text: str) -> str:
    parse_address(text)
    return text.strip()


class ServiceSettings(BaseModel):
    """`[service]`: `poll` is how often feeds are asked whose source says nothing else; `grace_seconds` is how long a
    stop may take to finish what is in flight. `max_memory` is the size at which the service finishes what is in flight
    and ends with exit code 75, to be started again by its supervisor: `none`, because without one it would only end.
    `recrawl` is the rule by which articles are looked at again, or a fixed interval, where their source says nothing
    else. `watch_for` is how long after it came out an article is watched: four in five edits come on its first day, and
    two months see what is corrected late, for a few looks more. `freshness` is how late an edit may be seen to be worth
    half as much as one that is seen at once; `auto` is three times the mean time between two looks, what the budget can
    afford: with much less, quiet articles are given up so soon that late edits are missed.
    `keep_fetches` is how long the rows of single attempts are kept, about 1 KB each: with more than a year the same
    season can be compared, for about 8 GB where 20,000 fetches are made a day.
    `http` is where health and metrics are told: the port is on no list of those that exporters use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    poll: Poll = "15m"
    recrawl: Recrawl = RecrawlRule.PLAN.value
    watch_for: Annotated[str, AfterValidator(_watch)] = "60d"
    freshness: Annotated[str, AfterValidator(_half_life)] = AFFORDABLE
    keep_fetches: Annotated[str, AfterValidator(_keeping)] = "400d"
    grace_seconds: float = Field(default=25.0, ge=0, le=3600, allow_inf_nan=False)
    max_memory: Annotated[str, AfterValidator(_size)] = "none"
    http: Annotated[str, AfterValidator(_http_address)] = "127.0.0.1:6674"

    @property
    def max_memory_bytes(self) -> int | None:
        """The size of `max_memory`, None where there is none."""
        return parse_size(self.max_memory)

    @property
    def half_life(self) -> timedelta | None:
        """How late an edit may be seen to be worth half, None for what the budget can afford."""
        return None if self.freshness == AFFORDABLE else parse_duration(self.freshness)

    @property
    def fetches_kept_for(self) -> timedelta | None:
        """How long attempts are kept, None where they are for ever."""
        return None if self.keep_fetches == FOREVER else parse_duration(self.keep_fetches)


class Settings(BaseModel):
    """Everything that can be configured; the field names are the sections of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: DatabaseSettings = DatabaseSettings()
    archive: ArchiveSettings = ArchiveSettings()
    crawl: CrawlSettings = Field(default_factory=CrawlSettings)
    service: ServiceSettings = ServiceSettings()
    source: list[SourceSettings] = []
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The configuration file that was read, or None where there was none."""
        return self._file

    def describe_database(self) -> str:
        """Return how messages name the database: a file, or an address without its password."""
        url = self.database.url
        local = re.fullmatch(r"sqlite(?:\+\w+)?:///(.+)", url, re.DOTALL)
        return local[1] if local else hide_password(url)

    def describe(self) -> str:
        """Return the settings in use as TOML-like lines, without secrets."""
        lines = []
        for section in _SECTIONS:
            values = getattr(self, section).model_dump(mode="json")
            if section == "database":
                values["url"] = hide_password(values["url"])
            lines += [f"[{section}] {key} = {value!r}" for key, value in values.items()]
        return "\n".join([*lines, *(f"[[source]] slug = {source.slug!r}" for source in self.source)])


_SECTIONS: dict[str, type[BaseModel]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings from the file `config` (or where the module says it is found) and from `environ`.

    Raises `ConfigurationError`, one line that names everything wrong with the file or the environment: a file that is
    named and not there, no TOML, an unknown key or variable, or a value that is not what is wanted.
    """
    path = _find_file(config, environ)
    values = _read_file(path) if path else {}
    variables, unknown_variables = _variables(environ)
    found = [str(key) for key in (*unknown_variables, *_check_keys(values))]
    if path:
        _place_paths(values, path.parent)
    for variable in variables:
        section = values.setdefault(variable.section, {})
        if isinstance(section, dict):
            section[variable.key] = variable.value
    try:
        settings = Settings.model_validate(values)
        settings._file = path
        # What the next start would refuse must not pass here: a running service reads this file again.
        _check_database_url(settings.database.url)
        if not found:
            return settings
    except ValidationError as error:
        problems = (one for one in error.errors(include_context=False) if one["type"] != _UNKNOWN)
        found += [_explain(problem, values, variables) for problem in problems]
    elsewhere = path is None or all(line.startswith(PREFIX) for line in found)
    raise ConfigurationError("environment" if elsewhere else str(path), "; ".join(found)) from None


def _check_database_url(url: str) -> None:
    from storage.engine import parse_url  # noqa: PLC0415 - takes longer than all that help and completion need

    parse_url(url)


class _Variable(NamedTuple):
    name: str
    section: str
    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class _UnknownKey:
    where: str
    key: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.where}{self.key} is unknown{_suggestion(self.key, self.known)}"


def file_wanted(config: Path | None, environ: Mapping[str, str]) -> Path:
    """Return which file is the configuration, whether it is there or not."""
    if config is None and environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return config or DEFAULT_FILE


def _find_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    path = file_wanted(config, environ)
    named = config is not None or environ.get(CONFIG_VARIABLE)
    return path if named or path.exists() else None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        # Some editors put a byte order mark before the first character.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        remedy = "name another file with --config, or write one with `morgue init`"
        raise ConfigurationError(str(path), "is not there", remedy) from None
    except OSError as problem:
        raise ConfigurationError(str(path), f"cannot be read ({problem.strerror})") from problem
    except UnicodeDecodeError as problem:
        raise ConfigurationError(str(path), "is not UTF-8", "save it as UTF-8") from problem
    except tomllib.TOMLDecodeError as problem:
        # The parser's message ends with line and column.
        raise ConfigurationError(str(path), f"is no TOML: {problem}") from problem


def _variables(environ: Mapping[str, str]) -> tuple[list[_Variable], list[_UnknownKey]]:
    """Return the settings that the environment makes, and the variables that are meant to be some and are unknown."""
    known = {
        f"{PREFIX}{section}__{key}".upper(): (section, key)
        for section, model in _SECTIONS.items()
        for key in model.model_fields
    }
    names = [name for name in sorted(environ) if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX)]
    names = [name for name in names if name != CONFIG_VARIABLE]
    unknown = [_UnknownKey(where="", key=name, known=(*known, CONFIG_VARIABLE)) for name in names if name not in known]
    return [_Variable(name, *known[name], environ[name]) for name in names if name in known], unknown


def _check_keys(values: Mapping[str, Any]) -> Iterator[_UnknownKey]:
    for name, value in values.items():
        if name == "source":
            for number, source in enumerate(value if isinstance(value, list) else [], start=1):
                if isinstance(source, dict):
                    yield from _unknown(source, SourceSettings, where=f"{_source_label(number, source)} ")
        elif name not in _SECTIONS:
            yield _UnknownKey(where="", key=f"[{name}]" if isinstance(value, dict) else name, known=_top_level())
        elif isinstance(value, dict):
            yield from _unknown(value, _SECTIONS[name], where=f"[{name}] ")


def _top_level() -> tuple[str, ...]:
    return (*(f"[{section}]" for section in _SECTIONS), "[[source]]")


def _unknown(values: Mapping[str, Any], model: type[BaseModel], *, where: str) -> Iterator[_UnknownKey]:
    known = tuple(model.model_fields)
    return (_UnknownKey(where=where, key=key, known=known) for key in values if key not in known)


def _source_label(number: int, source: object) -> str:
    slug = source.get("slug") if isinstance(source, dict) else None
    return f"[[source]] {slug if isinstance(slug, str) and slug.isprintable() and slug else number}"


def _suggestion(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})" if len(known) < 12 else ""


def _place_paths(values: dict[str, Any], folder: Path) -> None:
    """Make the relative paths of a file, and the defaults beside it, relative to its folder."""
    for section in ("database", "archive"):
        if not isinstance(values.setdefault(section, {}), dict):
            return
    database, archive = values["database"], values["archive"]
    url = database.setdefault("url", DatabaseSettings().url)
    local = _LOCAL_SQLITE.fullmatch(url) if isinstance(url, str) else None
    if local:
        database["url"] = f"{local[1]}{folder / local[2]}"
    directory = archive.setdefault("directory", str(ArchiveSettings().directory))
    if isinstance(directory, str):
        archive["directory"] = str(folder / Path(directory).expanduser())


def _explain(problem: Any, values: Mapping[str, Any], variables: list[_Variable]) -> str:
    """Return what is wrong with one value and where, without the value: it may be a secret."""
    place: tuple[str | int, ...] = problem["loc"]
    return f"{_where(place, values, variables)} {_wanted(problem['type'], problem['msg'])}"


def _where(place: tuple[str | int, ...], values: Mapping[str, Any], variables: list[_Variable]) -> str:
    for variable in variables:
        if place[:2] == (variable.section, variable.key):
            return variable.name
    if place[0] != "source":
        return " ".join([f"[{place[0]}]", *map(str, place[1:])])
    if len(place) == 1:
        return "[[source]]"
    number = int(place[1])
    # The place inside a list counts from 0, people from 1.
    inside = [f"number {part + 1}" if isinstance(part, int) else part for part in place[2:]]
    return " ".join([_source_label(number + 1, values["source"][number]), *inside])


_UNKNOWN = "extra_forbidden"
"""What pydantic calls a key that is unknown, of which more is said by `_check_keys`."""
_WANTED = {
    "missing": "is required",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text in quotes",
    "path_type": "must be a path in quotes",
    "tuple_type": "must be a list in square brackets",
    "list_type": "must be written as [[source]], once for each publisher",
    "model_type": "must be a section with keys of its own",
    "model_attributes_type": "must be a section with keys of its own",
    "string_pattern_mismatch": "must be lower-case letters, digits, dots, dashes and underscores, 63 at most",
}


def _wanted(kind: str, message: str) -> str:
    known = _WANTED.get(kind)
    return known or message.removeprefix("Value error, ").replace("Input should be", "must be")


def parse_size(text: str) -> int | None:
    """Return a size such as `1500M` or `2G` in bytes (K, M, G are powers of 1024), and None for `none`.

    Raises `ValueError` for what is no size, and for one in which the service could not even start.
    """
    if text.strip().lower() == "none":
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("is no size; write 1500M or 2G, or none")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size < _LEAST_MEMORY:
        raise ValueError("must be 64M at least")
    return size


def parse_address(text: str) -> tuple[str, int] | None:
    """Return host and port of `127.0.0.1:6674`, `[::1]:6674` or `:6674` (every interface); None where it is off.

    Port 0 stands for one that is free. Raises `ValueError` for anything else.
    """
    if text.strip().lower() in OFF:
        return None
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    is_port = port.isascii() and port.isdecimal() and int(port) <= 65_535
    name = host[1:-1] if bracketed else host
    is_host = (":" in name) == bracketed and all(sign.isalnum() or sign in ".-:%_" for sign in name)
    if not (colon and is_port and is_host):
        raise ValueError("must be an address and a port, as in 127.0.0.1:6674 or [::1]:6674, or off")
    return name, int(port)
