"""A server that answers each path with scripted bytes, whole or torn, plain or over TLS with a certificate of its own.

For what no HTTP server would send. robots.txt is a 404 unless it is scripted.
"""

import datetime
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = bytes | Callable[[socket.socket], None]
NO_ROBOTS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(body: bytes, *headers: str, status: str = "200 OK", content_type: str = "text/html") -> bytes:
    """Return a whole answer with its right length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


def reset_after(data: bytes) -> Script:
    """Return a script that sends `data` and resets the connection."""

    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        time.sleep(0.05)  # a reset at once would take back what was not read yet
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def drip(data: bytes, *, every_seconds: float) -> Script:
    """Return a script that sends one byte after the other, so that each read brings something."""

    def act(connection: socket.socket) -> None:
        with suppress(OSError):  # the client had enough
            for byte in data:
                connection.sendall(bytes([byte]))
                time.sleep(every_seconds)

    return act


def silence(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    with suppress(OSError):
        connection.recv(1)


def then_silence(data: bytes) -> Script:
    """Return a script that sends `data` and then says nothing until the client leaves."""

    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        silence(connection)

    return act


def endless(head: bytes, piece: bytes) -> Script:
    """Return a script that sends `piece` until the client leaves."""

    def act(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(head)
            while True:
                connection.sendall(piece)

    return act


@dataclass
class BadServer:
    """Answers on loopback; `scripts` maps paths to what is sent. The connection is closed after each answer.

    `asked` are the paths and `heads` the requests' heads that came, in their order.
    """

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    def url(self, path: str) -> str:
        """Return the absolute URL of a path."""
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    def handle(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        """Answer one connection."""
        with suppress(OSError), connection:
            if context is not None:
                connection = _shake_hands(context, connection)
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                    if not head.startswith(b"GET "):
                        connection.sendall(BAD_REQUEST)
                        return
                path = head.split(b" ")[1].decode()
                self.asked.append(path)
                self.heads.append(head)
                script = self.scripts.get(path, NO_ROBOTS)
                if callable(script):
                    script(connection)
                else:
                    connection.sendall(script)


def _shake_hands(context: ssl.SSLContext, connection: socket.socket) -> socket.socket:
    """Return the connection over TLS. What the client is told of a failure reaches it before the connection is reset,
    as a client that goes on sending would have it."""
    secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        secured.do_handshake()
    except OSError:
        with suppress(OSError), secured:
            socket.socket.shutdown(secured, socket.SHUT_WR)
            secured.settimeout(5)
            while socket.socket.recv(secured, 65536):
                pass
        raise
    return secured


@contextmanager
def bad_server(
    context: ssl.SSLContext | None = None, *, hosts: tuple[str, ...] = ("127.0.0.1",)
) -> Iterator[BadServer]:
    """Run a server at one port of these addresses; with a TLS context it speaks HTTPS."""
    listeners = _listen(hosts)
    scheme = "https" if context else "http"
    server = BadServer(port=listeners[0].getsockname()[1], scheme=scheme, host=hosts[0])

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=server.handle, args=(connection, context), daemon=True).start()

    threads = [threading.Thread(target=serve, args=(listener,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    try:
        yield server
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in threads:
            thread.join()


def _listen(hosts: tuple[str, ...]) -> list[socket.socket]:
    """Listen at a port that is free at all of these addresses."""
    while True:
        listeners = [socket.create_server((hosts[0], 0))]
        try:
            listeners += [socket.create_server((host, listeners[0].getsockname()[1])) for host in hosts[1:]]
        except OSError:  # taken at another address
            listeners[0].close()
        else:
            return listeners


# Certificates


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own; `file` is what a client has to trust."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, ended: bool) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    ends = now - datetime.timedelta(days=1) if ended else now + datetime.timedelta(days=30)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(ends)
    )


def make_authority(folder: Path) -> Authority:
    """Make an authority, its certificate written into `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder("Authority of the tests", "Authority of the tests", key, ended=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "authority.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(key=key, certificate=certificate, file=file)


def server_context(
    folder: Path, authority: Authority | None, *, address: str = "127.0.0.1", ended: bool = False
) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate for `address`, self-signed without an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = "Authority of the tests" if authority else "nobody else"
    certificate = (
        _builder("nobody else", issuer, key, ended=ended)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(authority.key if authority else key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
