"""Serves the site by uvicorn: `python uvicorn_site.py SETTINGS.json`. How is said by the first segment of a path."""

import asyncio
import json
import socket
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]
Fields = list[tuple[bytes, bytes]]

PIECE_BYTES = 16_384
HTML = (b"content-type", b"text/html; charset=utf-8")
ETAG, MODIFIED = b'"5-one"', b"Wed, 04 Nov 2026 08:49:37 GMT"
ODD = [
    (b"content-TYPE", b"text/html; charset=utf-8"),
    (b"X-oDD-Letters", b"one"),
    (b"Set-Cookie", b"a=1"),
    (b"Link", b"</a>; rel=preload"),
    (b"set-cookie", b"b=2"),
    (b"X-oDD-Letters", b"two"),
    (b"X-Latin", "Smørrebrød".encode("latin-1")),
]


class Site:
    """The ASGI application."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._site = Path(settings["site"])
        self._log = Path(settings["log"])
        self._tls_port = settings["tls_port"]

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer a request."""
        asked = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        with self._log.open("a") as log:
            log.write(f"{scope['client'][1]} {scope['path']} {asked.get('user-agent', '-')}\n")
        file = self._site / scope["path"].lstrip("/")
        if not file.is_file():
            await begin(send, 404, [HTML])
            await send({"type": "http.response.body", "body": b"<!doctype html><title>Not found</title>"})
            return
        way = scope["path"].split("/")[1]
        if way == "moved" and scope["scheme"] == "http":
            host = asked["host"].rpartition(":")[0]
            target = f"https://{host}:{self._tls_port}{scope['path']}"
            await begin(send, 301, [(b"location", target.encode())])
            await send({"type": "http.response.body", "body": b""})
            return
        await answer(way, file.read_bytes(), asked, send)


async def answer(way: str, body: bytes, asked: dict[str, str], send: Send) -> None:
    """Send a page in one of the ways."""
    codings = [coding.split(";")[0].strip() for coding in asked.get("accept-encoding", "").split(",")]
    length = (b"content-length", str(len(body)).encode())
    if way == "length":
        await whole(send, 200, [HTML, length], body)
    elif way == "fields":
        await whole(send, 200, [*ODD, length], body)
    elif way in ("etag", "counted"):
        known = asked.get("if-none-match") == ETAG.decode()
        fields = [HTML, (b"etag", ETAG), *([length] if way == "counted" or not known else [])]
        await whole(send, 304 if known else 200, fields, b"" if known else body)
    elif way == "dated":
        known = asked.get("if-modified-since") == MODIFIED.decode()
        fields = [HTML, (b"last-modified", MODIFIED), *([] if known else [length])]
        await whole(send, 304 if known else 200, fields, b"" if known else body)
    elif way in ("gzip", "br") and way in codings:
        coder = gzipped if way == "gzip" else brotlied
        await streamed(send, [HTML, (b"content-encoding", way.encode())], coder(pieces(body)))
    elif way == "slow":
        await streamed(send, [HTML], pieces(body), pause_seconds=0.3)
    else:
        await streamed(send, [HTML], pieces(body))


def pieces(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


def gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces compressed by gzip."""
    coder = zlib.compressobj(6, wbits=31)
    for part in parts:
        yield coder.compress(part)
    yield coder.flush()


def brotlied(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces compressed by brotli."""
    coder = brotli.Compressor(quality=4)
    for part in parts:
        yield coder.process(part)
    yield coder.finish()


async def begin(send: Send, status: int, fields: Fields) -> None:
    """Send the head of an answer."""
    await send({"type": "http.response.start", "status": status, "headers": fields})


async def whole(send: Send, status: int, fields: Fields, body: bytes) -> None:
    """Send an answer at once."""
    await begin(send, status, fields)
    await send({"type": "http.response.body", "body": body})


async def streamed(send: Send, fields: Fields, parts: Iterator[bytes], *, pause_seconds: float = 0) -> None:
    """Send an answer in pieces."""
    await begin(send, 200, fields)
    for part in parts:
        if part:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """Serve until SIGTERM."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    sockets = [
        socket.create_server(
            (address, settings["port"]), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=128
        )
        for address in settings["addresses"]
    ]
    config = uvicorn.Config(
        Site(settings),
        http=settings["http"],
        ssl_certfile=settings["certificate"],
        ssl_keyfile=settings["key"],
        lifespan="off",
        log_level="warning",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
