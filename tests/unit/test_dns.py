"""Looking names up: a name server that says nothing keeps nobody waiting, and no threads."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from crawler.dns import DnsResolver, NameNotFound


@contextmanager
def name_server(*, answers: bool, slow_seconds: float = 0.0) -> Iterator[str]:
    """Run a name server that knows `good.example` and `slow.example` (192.0.2.7), the latter after some seconds when it
    was first asked, or one that never says a word; yields its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            slow_since = 0.0
            while True:
                try:
                    asked, whom = server.recvfrom(512)
                except OSError:
                    return
                if not asked:
                    return
                if b"\x04slow\x07example" in asked:
                    slow_since = slow_since or time.monotonic()
                    if time.monotonic() < slow_since + slow_seconds:
                        continue
                if answers:
                    server.sendto(_answer(asked), whom)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        try:
            yield f"127.0.0.1:{port}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", port))
            thread.join()


def _answer(asked: bytes) -> bytes:
    question = asked[12 : asked.index(b"\0", 12) + 5]
    known = b"\x04good\x07example" in question or b"\x04slow\x07example" in question
    wants_ipv4 = question[-4:-2] == b"\0\x01"
    found = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + bytes([192, 0, 2, 7]) if known and wants_ipv4 else b""
    flags = b"\x81\x80" if known else b"\x81\x83"
    return asked[:2] + flags + b"\0\x01" + (b"\0\x01" if found else b"\0\0") + b"\0\0\0\0" + question + found


def look_up(names: list[str], *, server: str, **limits: float) -> list[list[str] | BaseException]:
    async def ask() -> list[list[str] | BaseException]:
        resolver = DnsResolver(servers=[server], **limits)
        try:
            return await asyncio.gather(*(resolver.addresses(name) for name in names), return_exceptions=True)
        finally:
            await resolver.close()

    return asyncio.run(ask())


def test_a_name_has_the_addresses_that_the_name_server_says():
    with name_server(answers=True) as server:
        assert look_up(["good.example"], server=server) == [["192.0.2.7"]]


def test_a_name_that_nobody_knows_is_said_to_be_so():
    with name_server(answers=True) as server:
        (problem,) = look_up(["none.example"], server=server)
    assert isinstance(problem, NameNotFound)
    assert "none.example" in str(problem)


def test_hundreds_of_names_that_are_never_answered_are_waited_for_at_the_same_time_and_without_threads():
    before = threading.active_count()
    with name_server(answers=False) as server:
        problems = look_up([f"{n}.example" for n in range(300)], server=server, seconds=0.2, tries=1)
        assert threading.active_count() <= before + 3
    assert all(isinstance(problem, NameNotFound) for problem in problems)


def test_a_name_that_takes_long_is_found_also_where_others_came_quickly():
    async def ask(server):
        resolver = DnsResolver(servers=[server])
        try:
            for _ in range(20):  # from which c-ares learns that it need not wait for long
                await resolver.addresses("good.example")
            return await resolver.addresses("slow.example")
        finally:
            await resolver.close()

    with name_server(answers=True, slow_seconds=2.0) as server:
        assert asyncio.run(ask(server)) == ["192.0.2.7"]
