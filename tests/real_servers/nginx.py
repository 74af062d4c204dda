"""nginx. Server side includes take a page's length away, as any generated page has none."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_servers import pages
from tests.real_servers.server import Ground, RealServer, addresses

BROTLI_MODULE = Path("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so")


class Nginx(RealServer):
    """nginx, one worker."""

    name = "nginx"
    program = "nginx"
    package = "Debian packages nginx and libnginx-mod-http-brotli-filter"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.BROTLI, pages.CLOSE, pages.SLOW, pages.TRAILERS, pages.FIELDS,
        pages.ETAG, pages.DATED, pages.MOVED,
    )  # fmt: skip

    @classmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""
        said = subprocess.run([cls.find(), "-v"], capture_output=True, text=True, check=True).stderr
        return re.findall(r"nginx/(\S+)", said)[0]

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration, and return the command line."""
        file = ground.folder / "nginx.conf"
        file.write_text(_configuration(ground))
        return [[self.find(), "-p", ground.folder, "-c", file, "-e", ground.folder / "error.log"]]


def _configuration(ground: Ground) -> str:
    temporary = "".join(f"{kind}_temp_path {ground.folder}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    names = "".join(_server(ground, name) for name in ground.certificates)
    return f"""
{f"load_module {BROTLI_MODULE};" if BROTLI_MODULE.exists() else ""}
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {ground.folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
log_format requests '$remote_port $uri $http_user_agent';
access_log {ground.log} requests;
client_body_temp_path {ground.folder}/body;
{temporary}
types {{ text/html html; text/plain txt; }}
charset utf-8;
keepalive_timeout 60;
{names}
}}
"""


def _server(ground: Ground, name: str) -> str:
    made = ground.certificates[name]
    hosts = [f"[{address}]" if ":" in address else address for address in addresses()]
    last = "" if name else " default_server"
    listen = [
        f"listen {host}:{port}{tls}{last};"
        for host in hosts
        for port, tls in ((ground.plain_port, ""), (ground.tls_port, " ssl"))
    ]
    return "\n".join(
        [
            "server {",
            *listen,
            f"server_name {name or '_'};",
            f"ssl_certificate {made.certificate};",
            f"ssl_certificate_key {made.key};",
            _site(ground),
            "}\n",
        ]
    )


def _site(ground: Ground) -> str:
    return f"""
root {ground.site};
location /chunked/ {{ ssi on; }}
location /many/ {{ ssi on; }}
location /gzip/ {{ gzip on; gzip_min_length 0; }}
location /br/ {{ {"brotli on; brotli_min_length 0;" if BROTLI_MODULE.exists() else ""} }}
location /close/ {{ ssi on; chunked_transfer_encoding off; }}
location /slow/ {{ ssi on; limit_rate 32k; }}
location /trailers/ {{ ssi on; add_trailer X-Checksum f00d; }}
location /fields/ {{
add_header X-oDD-Letters one;
add_header Set-Cookie a=1;
add_header Link '</style.css>; rel=preload; as=style';
add_header Set-Cookie b=2;
add_header X-Latin 'Smørrebrød';
}}
location /dated/ {{ etag off; }}
location /moved/ {{ if ($scheme = http) {{ return 301 https://$host:{ground.tls_port}$uri; }} }}
"""
