"""Many publishers in one process, as fast as they can be: what the soak asks all the time.

They listen on all addresses at one port; each `127.1.0.N` is another publisher. Most answers are 304 or the same bytes,
some pages are edited, some are new, a few fail.
"""

import asyncio
import multiprocessing
import os
from collections import Counter
from multiprocessing.sharedctypes import Synchronized

PAGES_AT_FIRST = 25
EDITED_EVERY, NEW_EVERY, FAILS_EVERY, RESET_EVERY = 400, 500, 997, 4999
"""After so many requests to a publisher."""
WITHOUT_VALIDATORS = 10
"""Every so-manieth page has none, so that its bytes are compared."""
TEXTS = (
    "The council of district {n} met on Tuesday to settle how the old ferry landing is to be used, and heard {n} "
    "speakers before it voted on plan {n} that had been drawn up over the winter by office {r}.",
    "Residents of street {n} had asked for a market hall, while the harbour office wanted the space for repairs; the "
    "compromise gives both of them half of building {n} and shares the cost of a new roof.",
    "Work is to start in week {n} and will take about a year, the builders said, provided that the foundations are as "
    "sound as survey {n} of last autumn found them to be.",
)


class Publisher:
    """One address: its pages, and how often each was edited."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._number = int(host.split(":", maxsplit=1)[0].rsplit(".", 1)[1])
        self._edits: Counter[int] = Counter()
        self._pages = PAGES_AT_FIRST
        self._asked = 0

    def answer(self, path: str, etag: str | None) -> bytes | None:
        """Return the whole answer to a request, None to hang up."""
        self._asked += 1
        if self._asked % NEW_EVERY == 0:
            self._pages += 1
        if self._asked % EDITED_EVERY == 0:
            self._edits[self._asked // EDITED_EVERY % self._pages] += 1
        if path == "/robots.txt":
            return _response(b"User-agent: *\nDisallow: /account/\n", "text/plain")
        if path == "/feed.rss":
            return self._tagged(f'"f{self._pages}"', etag, self._feed, "application/rss+xml")
        if self._asked % RESET_EVERY == 0:
            return None
        if self._asked % FAILS_EVERY == 0:
            return _response(b"<h1>Out of order</h1>", "text/html", status="500 Internal Server Error")
        number = int(path.rsplit("-", 1)[-1])
        tag = None if number % WITHOUT_VALIDATORS == 0 else f'"p{self._edits[number]}"'
        return self._tagged(tag, etag, lambda: self._page(number), "text/html; charset=utf-8")

    def _tagged(self, tag: str | None, asked: str | None, render, content_type: str) -> bytes:
        if tag is not None and tag == asked:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        return _response(render().encode(), content_type, tag=tag)

    def _feed(self) -> str:
        items = "".join(
            f"<item><title>District {n}</title><link>http://{self._host}/news/story-{n}</link></item>"
            for n in range(self._pages)
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Soak</title>{items}</channel></rss>'

    def _page(self, number: int) -> str:
        n, r = self._number * 1_000_000 + number, self._edits[number]
        body = "".join(f"<p>{text.format(n=n, r=r)}</p>" for text in TEXTS)
        url = f"http://{self._host}/news/story-{number}"
        return (
            f'<!DOCTYPE html><html lang="en"><head><title>District {n}</title><link rel="canonical" href="{url}">'
            '<meta property="og:type" content="article"></head><body><nav><a href="/">Home</a></nav><article>'
            f"<h1>District {n} settles its ferry landing</h1>{body}</article></body></html>"
        )


def _response(body: bytes, content_type: str, *, tag: str | None = None, status: str = "200 OK") -> bytes:
    etag = f"ETag: {tag}\r\n" if tag else ""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{etag}\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, publishers: dict[str, Publisher], asked: "Synchronized[int]") -> None:
        self._publishers = publishers
        self._asked = asked
        self._read = b""

    def connection_made(self, transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, self._read = self._read.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1"))

    def _answer(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host = fields["host"]
        publisher = self._publishers.setdefault(host, Publisher(host))
        self._asked.value += 1
        answer = publisher.answer(first.split(" ")[1], fields.get("if-none-match"))
        if answer is None:
            self._transport.abort()
        else:
            self._transport.write(answer)


def _serve(port_found, asked: "Synchronized[int]") -> None:
    os.nice(5)

    async def serve() -> None:
        publishers: dict[str, Publisher] = {}
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(publishers, asked), "0.0.0.0", 0, backlog=1024
        )
        port_found.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


class SoakServer:
    """The publishers, used as `with`: `port` is where they listen, `asked` how often they were asked so far."""

    def __enter__(self) -> "SoakServer":
        context = multiprocessing.get_context("spawn")
        self._asked = context.Value("q", 0, lock=False)
        receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(sending, self._asked), daemon=True)
        self._process.start()
        self.port = receiving.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def asked(self) -> int:
        """How often they were asked so far."""
        return int(self._asked.value)
