"""What the storage layer can be told. The values are read from file and environment in `scheduler.settings`."""

import re
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_WARC_BYTES = 1_000_000_000
DEFAULT_WARC_SECONDS = 86_400.0

_PASSWORD = re.compile(r"(://[^:/@]*):.*@", re.DOTALL)
_PARAMETER = re.compile(r"([?&])([^=&]*)=([^&]*)")
_SECRET = re.compile("pass|pwd|secret|token|scram", re.IGNORECASE)


def is_secret(parameter: str) -> bool:
    """Whether a parameter of a database URL may carry a secret: `password`, `sslpassword`, `passfile` and the like."""
    return _SECRET.search(parameter) is not None


def hide_password(url: str) -> str:
    """Return a database URL with whatever may be a password replaced by `***`, in its address and its parameters."""

    def hidden(parameter: re.Match[str]) -> str:
        return f"{parameter[1]}{parameter[2]}=***" if is_secret(unquote_plus(parameter[2])) else parameter[0]

    return _PARAMETER.sub(hidden, _PASSWORD.sub(r"\1:***@", url))


class DatabaseSettings(BaseModel):
    """`[database]`: a SQLAlchemy URL; `postgres://` is taken as well as `postgresql://`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(default="sqlite:///morgue.db", repr=False)  # it may carry a password


class ArchiveSettings(BaseModel):
    """`[archive]`: where WARC files go, and whether captures that made no version are kept too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path = Path("archive")
    keep: Literal["versions", "all"] = "versions"
    max_file_bytes: int = Field(default=DEFAULT_WARC_BYTES, ge=1_000_000)
    max_file_seconds: float = Field(default=DEFAULT_WARC_SECONDS, ge=60, allow_inf_nan=False)


class StorageContext(Protocol):
    """What the storage commands find as `ctx.obj`."""

    @property
    def database(self) -> DatabaseSettings:
        """Where the database is."""

    @property
    def archive(self) -> ArchiveSettings:
        """Where the captures are."""

    def url_key(self, url: str) -> str:
        """Return the identity of a URL, under which its page is stored. Raises `UsageError` for no http(s) URL."""
