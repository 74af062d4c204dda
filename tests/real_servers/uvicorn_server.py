"""uvicorn, with each of its two readers of HTTP."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar

from tests.real_servers import pages
from tests.real_servers.server import Ground, RealServer, ServerMissing, addresses


class Uvicorn(RealServer):
    """uvicorn with httptools, one process a port."""

    name = "uvicorn"
    program = sys.executable
    package = "PyPI packages uvicorn and httptools"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.BROTLI, pages.SLOW, pages.FIELDS, pages.ETAG, pages.DATED,
        pages.COUNTED, pages.MOVED,
    )  # fmt: skip
    has_names = False
    http: ClassVar[str] = "httptools"

    @classmethod
    def find(cls) -> str:
        """Return Python's path. Raises `ServerMissing`."""
        cls.version()
        return sys.executable

    @classmethod
    def version(cls) -> str:
        """Return uvicorn's version and that of its reader of HTTP. Raises `ServerMissing`."""
        try:
            return f"{version('uvicorn')} ({cls.http} {version(cls.http)})"
        except PackageNotFoundError as missing:
            raise ServerMissing(f"{cls.name}: {missing.name} is not installed ({cls.package})") from missing

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration of each port, and return the command lines."""
        commands: list[list[str | Path]] = []
        for tls in (False, True):
            made = ground.certificates[""]
            settings = {
                "site": str(ground.site),
                "log": str(ground.log),
                "addresses": addresses(),
                "port": ground.tls_port if tls else ground.plain_port,
                "tls_port": ground.tls_port,
                "certificate": str(made.certificate) if tls else None,
                "key": str(made.key) if tls else None,
                "http": self.http,
            }
            file = ground.folder / ("tls.json" if tls else "plain.json")
            file.write_text(json.dumps(settings))
            commands.append([sys.executable, Path(__file__).with_name("uvicorn_site.py"), file])
        return commands


class UvicornH11(Uvicorn):
    """uvicorn with h11."""

    name = "uvicorn h11"
    http = "h11"
