"""Node's own http and https."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_servers import pages
from tests.real_servers.server import Ground, RealServer, addresses

PROGRAM = Path(__file__).with_name("node_site.js")


class Node(RealServer):
    """Node's http module, in one process."""

    name = "Node"
    program = "node"
    package = "Debian package nodejs"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.BROTLI, pages.CLOSE, pages.SLOW, pages.TRAILERS, pages.HINTS,
        pages.FIELDS, pages.STALE, pages.ETAG, pages.DATED, pages.COUNTED, pages.MOVED,
    )  # fmt: skip

    @classmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""
        said = subprocess.run([cls.find(), "--version"], capture_output=True, text=True, check=True).stdout
        return said.strip().removeprefix("v")

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration, and return the command line."""
        certificates = {
            name: {"cert": str(made.certificate), "key": str(made.key)} for name, made in ground.certificates.items()
        }
        file = ground.folder / "site.json"
        settings = {
            "site": str(ground.site),
            "log": str(ground.log),
            "addresses": addresses(),
            "plainPort": ground.plain_port,
            "tlsPort": ground.tls_port,
            "certificates": certificates,
        }
        file.write_text(json.dumps(settings))
        return [[self.find(), PROGRAM, file]]
