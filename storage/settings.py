"""What the storage layer can be told. The values are read from file and environment in `scheduler.settings`."""

from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_WARC_BYTES = 1_000_000_000


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
