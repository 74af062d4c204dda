"""What `morgue crawl` leaves of a page: the rows of its fetches, and the records in the archive."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from warcio.archiveiterator import ArchiveIterator

from storage.engine import create_engine
from tests.morgue_command import MORGUE, environment
from tests.real_servers.curl import Fields

USER_AGENT = "morgue-tests/1 (+mailto:tests@example.org)"
LONGEST_SECONDS = 300.0
"""For a whole crawl that takes some ten seconds on two cores: only one that hangs for ever takes as long."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of `fetches_v1`. `headers` are those that matter, with names in lower case."""

    url: str
    hop: int
    kind: str
    outcome: str
    reason: str | None
    status: int | None
    bytes_received: int
    location: str | None
    headers: Mapping[str, str]
    record_id: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """A response record of the archive: the status line, the header fields and the body, coded as it was sent."""

    http_version: str
    status: int
    reason_phrase: str
    fields: Fields
    body: bytes = field(repr=False)
    request_fields: Fields = ()

    def header(self, name: str) -> str | None:
        """Return the first header field of that name, in any case, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True)
class Crawled:
    """What one crawl left. `ended` is False where it had to be stopped because it hung."""

    ended: bool
    said: str
    rows: Sequence[Row] = field(repr=False)
    records: Mapping[str, Record] = field(repr=False)

    def row(self, url: str) -> Row:
        """Return the last row of a page's fetches at this URL. Raises `LookupError` where it was never answered."""
        found = [row for row in self.rows if row.url == url]
        if not found:
            raise LookupError(
                f"no fetch of {url} ended; the crawl {'said' if self.ended else 'hung and said'}: {self.said}"
            )
        return found[-1]

    def record(self, url: str) -> Record:
        """Return the record of the last fetch of this URL that was kept. Raises `LookupError`."""
        kept = [self.records[row.record_id] for row in self.rows if row.url == url and row.record_id in self.records]
        if not kept:
            raise LookupError(f"nothing was kept of {self.row(url)}")
        return kept[-1]


def surroundings(trusting: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which morgue trusts an authority and asks servers of this machine without a pause."""
    own = {
        "MORGUE_CRAWL__USER_AGENT": USER_AGENT,
        "MORGUE_CRAWL__ALLOW_PRIVATE_ADDRESSES": "true",
        "MORGUE_CRAWL__DELAY_SECONDS": "0",
        "MORGUE_ARCHIVE__KEEP": "all",
    }
    return environment({**own, **(settings or {})}) | {"SSL_CERT_FILE": str(trusting)}


def crawl(
    folder: Path,
    urls: Sequence[str],
    *,
    trusting: Path,
    program: Sequence[str | Path] = (MORGUE,),
    settings: Mapping[str, str] | None = None,
) -> Crawled:
    """Run `morgue crawl` of these URLs in a folder, and return what it left there."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [*program, "crawl", *urls],
        cwd=folder,
        env=surroundings(trusting, settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said, _ = process.communicate(timeout=LONGEST_SECONDS)
        ended = True
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        ended = False
    rows, records = _rows(folder), _records(folder)
    return Crawled(ended=ended, said=said.decode(errors="replace"), rows=rows, records=records)


def _rows(folder: Path) -> list[Row]:
    database = folder / "morgue.db"
    if not database.exists():
        return []
    engine = create_engine(f"sqlite:///{database}")
    columns = "url, hop, kind, outcome, reason, status, bytes_received, location, headers, record_id"
    try:
        with engine.connect() as connection:
            found = connection.execute(text(f"SELECT {columns} FROM fetches_v1 WHERE kind = 'page' ORDER BY fetch_id"))
            return [Row(**{**row, "headers": json.loads(row["headers"])}) for row in found.mappings()]
    finally:
        engine.dispose()


def _records(folder: Path) -> dict[str, Record]:
    """Return all response records by their id, and what was asked for with each."""
    responses: dict[str, Record] = {}
    requests: dict[str, Fields] = {}
    for file in sorted((folder / "archive").glob("*.warc.gz*")):
        with file.open("rb") as stream:
            # warcio's own reading of HTTP headers guesses their charset.
            for record in ArchiveIterator(stream, no_record_parse=True):
                if record.rec_type not in ("request", "response"):
                    continue
                head, _, body = record.raw_stream.read().partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                fields = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
                if record.rec_type == "request":
                    requests[record.rec_headers.get_header("WARC-Concurrent-To").strip("<>")] = fields
                    continue
                version, _, rest = first.partition(" ")
                status, _, reason = rest.partition(" ")
                responses[record.rec_headers.get_header("WARC-Record-ID").strip("<>")] = Record(
                    http_version=version, status=int(status), reason_phrase=reason, fields=fields, body=body
                )
    return {
        name: Record(**{**vars(record), "request_fields": requests.get(name, ())}) for name, record in responses.items()
    }
