"""Caddy, and with it the HTTP server of Go."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_servers import pages
from tests.real_servers.server import Ground, RealServer, Request, addresses


class Caddy(RealServer):
    """Caddy, held to HTTP/1.1."""

    name = "Caddy"
    program = "caddy"
    package = "Debian package caddy"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.ZSTD, pages.FIELDS, pages.ETAG, pages.DATED, pages.MOVED,
    )  # fmt: skip

    @classmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""
        said = subprocess.run([cls.find(), "version"], capture_output=True, text=True, check=True).stdout
        return said.split()[0].removeprefix("v")

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration, and return the command line."""
        file = ground.folder / "Caddyfile"
        file.write_text(_configuration(ground))
        return [[self.find(), "run", "--config", file, "--adapter", "caddyfile"]]

    def read_request(self, line: str) -> Request:
        """Read a line of the log of requests."""
        asked = json.loads(line)["request"]
        agent = asked["headers"].get("User-Agent", ["-"])[0]
        return Request(client_port=int(asked["remote_port"]), path=asked["uri"], user_agent=agent)


def _configuration(ground: Ground) -> str:
    bind = f"bind {' '.join(addresses())}"
    secure = "".join(
        f"https://{name}:{ground.tls_port} {{\n{bind}\ntls {made.certificate} {made.key}\nimport site\n}}\n"
        for name, made in ground.certificates.items()
    )
    return f"""
{{
admin off
auto_https off
storage file_system {ground.folder}/storage
default_sni localhost
servers {{
protocols h1
}}
}}
(site) {{
log {{
output file {ground.log}
format json
}}
root * {ground.site}
@gzip path /gzip/*
encode @gzip {{
gzip
minimum_length 1
}}
@zstd path /zstd/*
encode @zstd {{
zstd
minimum_length 1
}}
@unmeasured path /chunked/* /many/*
header @unmeasured {{
-Content-Length
defer
}}
@undated path /dated/*
header @undated {{
-Etag
defer
}}
@fields path /fields/*
header @fields {{
X-oDD-Letters one
+Set-Cookie a=1
Link "</style.css>; rel=preload; as=style"
+Set-Cookie b=2
}}
file_server
}}
http://:{ground.plain_port} {{
{bind}
redir /moved/* https://{{host}}:{ground.tls_port}{{uri}} 301
import site
}}
{secure}
"""
