"""What curl gets: the measure of what an archive of the web should hold."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

Fields = tuple[tuple[str, str], ...]

LONGEST_SECONDS = 120


class CurlMissing(Exception):
    """There is no curl on this machine."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as curl saw it.

    `interim` are the statuses of what came before it (1xx). `body` is free of any transfer coding, coded as the server
    sent it; `decoded` is what a browser would read. Header bytes are read as Latin-1.
    """

    http_version: str
    status: int
    reason_phrase: str
    fields: Fields
    body: bytes = field(repr=False)
    decoded: bytes = field(repr=False)
    trailers: Fields = ()
    interim: tuple[int, ...] = ()

    def header(self, name: str) -> str | None:
        """Return the first header field of that name, in any case, or None."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request: header fields beside those that curl sends by itself, and names that stand for an address."""

    url: str
    fields: Fields = ()


def fetch(
    requests: Sequence[Asked], folder: Path, *, trusting: Path, names: Mapping[str, str] | None = None
) -> list[Answer | str]:
    """Ask for all URLs, on as few connections as may be; return each answer, or what went wrong.

    `trusting` is the authority that signs the servers' certificates; `names` are addresses by name.
    """
    program = shutil.which("curl")
    if program is None:
        raise CurlMissing("curl is not installed (Debian package curl)")
    folder.mkdir(parents=True, exist_ok=True)
    blocks: list[str] = []
    for number, asked in enumerate(requests):
        for kind in ("coded", "decoded"):
            options = {
                "url": asked.url,
                "output": str(folder / f"{number}.{kind}"),
                "dump-header": str(folder / f"{number}.{kind}.head"),
                "cacert": str(trusting),
                "max-time": str(LONGEST_SECONDS),
                "write-out": f"{number} %{{exitcode}} %{{errormsg}}\n",
            }
            lines = [f"{name} = {_quoted(value)}" for name, value in options.items()]
            lines += [f"header = {_quoted(f'{name}: {value}')}" for name, value in asked.fields]
            port = urlsplit(asked.url).port
            lines += [f"resolve = {_quoted(f'{name}:{port}:{address}')}" for name, address in (names or {}).items()]
            lines += ["http1.1", "silent", "globoff", 'noproxy = "*"']
            lines += ["compressed"] if kind == "decoded" else []
            blocks.append("\n".join(lines))
    done = subprocess.run(
        # The first word: what stands in somebody's ~/.curlrc is none of our business.
        [program, "--disable", "--config", "-"],
        input="\nnext\n".join(blocks).encode(),
        capture_output=True,
        check=False,
    )
    problems: dict[int, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        number, code, message = line.split(" ", 2)
        if code != "0":
            problems[int(number)] = f"curl: ({code}) {message}"
    return [problems.get(number) or _answer(folder, number) for number in range(len(requests))]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _answer(folder: Path, number: int) -> Answer | str:
    coded, decoded = (folder / f"{number}.{kind}" for kind in ("coded", "decoded"))
    head = folder / f"{number}.coded.head"
    if not head.exists():
        return "curl: no answer"
    blocks = [block for block in head.read_bytes().decode("latin-1").split("\r\n\r\n") if block.strip()]
    heads = [block.split("\r\n") for block in blocks if block.startswith("HTTP/")]
    behind = [block.split("\r\n") for block in blocks if not block.startswith("HTTP/")]
    version, status, reason = _status_line(heads[-1][0])
    return Answer(
        http_version=version,
        status=status,
        reason_phrase=reason,
        fields=_fields(heads[-1][1:]),
        # An empty body leaves no file.
        body=coded.read_bytes() if coded.exists() else b"",
        decoded=decoded.read_bytes() if decoded.exists() else b"",
        trailers=_fields([line for lines in behind for line in lines if line]),
        interim=tuple(_status_line(lines[0])[1] for lines in heads[:-1]),
    )


def _status_line(line: str) -> tuple[str, int, str]:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    return version, int(status), reason


def _fields(lines: Sequence[str]) -> Fields:
    return tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
