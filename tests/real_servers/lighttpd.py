"""lighttpd. Its generated pages come from CGI programs."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_servers import pages
from tests.real_servers.cgi import PAGE_PROGRAM
from tests.real_servers.server import Ground, RealServer, addresses

FIELDS_PROGRAM = """#!/bin/sh
printf 'Status: 200 Fine By Me\\r\\ncontent-TYPE: text/html; charset=utf-8\\r\\nX-oDD-Letters: one\\r\\n'
printf 'Set-Cookie: a=1\\r\\nLink: </style.css>; rel=preload; as=style\\r\\nset-cookie: b=2\\r\\n\\r\\n'
sleep 0.03
exec cat "$1"
"""


class Lighttpd(RealServer):
    """lighttpd."""

    name = "lighttpd"
    program = "lighttpd"
    package = "Debian packages lighttpd, lighttpd-mod-openssl and lighttpd-mod-deflate"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.BROTLI, pages.ZSTD, pages.HTTP_1_0, pages.SLOW, pages.FIELDS,
        pages.ETAG, pages.DATED, pages.MOVED,
    )  # fmt: skip

    @classmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""
        said = subprocess.run([cls.find(), "-v"], capture_output=True, text=True, check=True).stdout
        return re.findall(r"lighttpd/(\S+)", said)[0]

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration and the programs, and return the command line."""
        for name, text in (("page", PAGE_PROGRAM), ("fields", FIELDS_PROGRAM)):
            program = ground.folder / name
            program.write_text(text)
            program.chmod(0o755)
        file = ground.folder / "lighttpd.conf"
        file.write_text(_configuration(ground))
        return [[self.find(), "-D", "-f", file]]


def _configuration(ground: Ground) -> str:
    sockets = ""
    for address in addresses():
        host = f"[{address}]" if ":" in address else address
        made = ground.certificates[""]
        if address != addresses()[0]:
            sockets += f'$SERVER["socket"] == "{host}:{ground.plain_port}" {{ }}\n'
        sockets += (
            f'$SERVER["socket"] == "{host}:{ground.tls_port}" {{\n'
            f'ssl.engine = "enable"\nssl.pemfile = "{made.certificate}"\nssl.privkey = "{made.key}"\n}}\n'
        )
    names = "".join(
        f'$HTTP["host"] =~ "^{re.escape(name)}(:|$)" {{\n'
        f'ssl.pemfile = "{made.certificate}"\nssl.privkey = "{made.key}"\n}}\n'
        for name, made in ground.certificates.items()
        if name
    )
    generated = f'cgi.assign = (".html" => "{ground.folder}/page")'
    return f"""
server.modules = (
"mod_openssl", "mod_redirect", "mod_cgi", "mod_deflate", "mod_accesslog", "mod_setenv"
)
server.document-root = "{ground.site}"
server.bind = "127.0.0.1"
server.port = {ground.plain_port}
server.pid-file = "{ground.folder}/lighttpd.pid"
server.errorlog = "{ground.folder}/error.log"
server.stream-response-body = 2
server.max-keep-alive-requests = 1000
server.max-keep-alive-idle = 60
mimetype.assign = (".html" => "text/html; charset=utf-8", ".txt" => "text/plain")
accesslog.filename = "{ground.log}"
accesslog.format = "%{{remote}}p %U %{{User-Agent}}i"
deflate.mimetypes = ("text/html")
static-file.exclude-extensions = ()
{sockets}
{names}
$HTTP["url"] =~ "^/(chunked|many|slow|http1.0)/" {{ {generated} }}
$HTTP["url"] =~ "^/slow/" {{ connection.kbytes-per-second = 32 }}
$HTTP["url"] =~ "^/http1.0/" {{ server.protocol-http11 = "disable" }}
$HTTP["url"] =~ "^/fields/" {{ cgi.assign = (".html" => "{ground.folder}/fields") }}
$HTTP["url"] =~ "^/gzip/" {{ deflate.allowed-encodings = ("gzip") }}
$HTTP["url"] =~ "^/br/" {{ deflate.allowed-encodings = ("br") }}
$HTTP["url"] =~ "^/zstd/" {{ deflate.allowed-encodings = ("zstd") }}
$HTTP["url"] !~ "^/(gzip|br|zstd)/" {{ deflate.mimetypes = () }}
$HTTP["url"] =~ "^/dated/" {{ static-file.etags = "disable" }}
$HTTP["scheme"] == "http" {{
$HTTP["url"] =~ "^/moved/" {{ url.redirect = ("" => "https://127.0.0.1:{ground.tls_port}${{url.path}}") }}
}}
"""
