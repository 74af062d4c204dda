"""Pieces of good, bad and odd answers of servers."""

import gzip
import socket

from tests.integration.bad_server import Script, answer, drip

PARAGRAPHS = (
    "The lighthouse keeper of Østerholm lit the lamp again on Sunday evening, eleven years after the harbour office "
    "had declared the tower superfluous and taken its lens away.",
    "A glazier from the next village had ground a new lens by hand; it took him four winters, and he was paid in "
    "smoked eel and in the promise that the light would be named after his mother.",
    "The office said that it would not object, “provided that nobody relies on it”, and that the chart would stay as "
    "it is until the next edition is printed in the spring.",
)


def page(paragraphs: tuple[str, ...] = PARAGRAPHS, *, head: str = "", lang: str = "en") -> str:
    """Return an article's page."""
    body = "".join(f"<p>{text}</p>\n" for text in paragraphs)
    return (
        f'<!doctype html><html lang="{lang}"><head>{head}<title>Lamp lit again</title></head><body>'
        f"<article><h1>Lamp lit again</h1>{body}</article></body></html>"
    )


GOOD = answer(page().encode(), content_type="text/html; charset=utf-8")
PAGE = page().encode()


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def redirect(target: str) -> bytes:
    return answer(b"", f"Location: {target}", status="302 Found")


def slowly(at_once: bytes, rest: bytes) -> Script:
    """Return a script whose headers come at once and whose body never ends."""
    dripping = drip(rest, every_seconds=0.05)

    def act(connection: socket.socket) -> None:
        connection.sendall(at_once)
        dripping(connection)

    return act


NOISE = bytes(byte for byte in range(256) if chr(byte) != "<") * 40
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JAPANESE = (
    "小樽市の灯台守は日曜日の夜、十一年ぶりに灯をともした。港湾事務所が不要だとしてレンズを外してから、塔は暗いままだった。",
    "隣村の硝子職人が新しいレンズを手で磨き上げるのに四度の冬を要した。報酬は鰊の燻製と、灯に母の名を付けるという約束だった。",
    "事務所は反対しないとしたが、海図は来春に次の版が刷られるまで改めないという。漁師たちはもう灯を頼りに船を出している。",
)


def feed(*paths: str, end: str = "</channel></rss>") -> str:
    items = "".join(f"<item><title>t</title><link>{path}</link></item>" for path in paths)
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>All</title>{items}{end}'


FEED_TYPE = "application/rss+xml"
