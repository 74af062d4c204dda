"""Apache httpd. Its generated pages come from a CGI program."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_servers import pages
from tests.real_servers.cgi import PAGE_PROGRAM
from tests.real_servers.server import Ground, RealServer, addresses

MODULES = Path("/usr/lib/apache2/modules")
LOADED = (
    "mpm_event", "authz_core", "mime", "dir", "alias", "headers", "env", "setenvif", "cgid", "actions",
    "filter", "deflate", "brotli", "ratelimit", "ssl",
)  # fmt: skip
UNPRIVILEGED = "www-data"
PROGRAM = "programs/page"


class Apache(RealServer):
    """Apache httpd with its event loop."""

    name = "Apache"
    program = "apache2"
    package = "Debian package apache2-bin"
    framings = (
        pages.LENGTH, pages.CHUNKED, pages.GZIP, pages.BROTLI, pages.HTTP_1_0, pages.SLOW, pages.FIELDS, pages.ETAG,
        pages.DATED, pages.MOVED,
    )  # fmt: skip

    @classmethod
    def version(cls) -> str:
        """Return the program's version. Raises `ServerMissing`."""
        said = subprocess.run([cls.find(), "-v"], capture_output=True, text=True, check=True).stdout
        return re.findall(r"Apache/(\S+)", said)[0]

    def configure(self, ground: Ground) -> Sequence[Sequence[str | Path]]:
        """Write the configuration and the program, and return the command line."""
        program = ground.folder / PROGRAM
        program.parent.mkdir()
        program.write_text(PAGE_PROGRAM)
        program.chmod(0o755)
        file = ground.folder / "apache.conf"
        file.write_text(_configuration(ground))
        return [[self.find(), "-d", ground.folder, "-f", file, "-DFOREGROUND"]]


def _configuration(ground: Ground) -> str:
    hosts = [f"[{address}]" if ":" in address else address for address in addresses()]
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED]
    listen = [f"Listen {host}:{port}" for host in hosts for port in (ground.plain_port, ground.tls_port)]
    user = [f"User {UNPRIVILEGED}", f"Group {UNPRIVILEGED}"] if os.geteuid() == 0 else []
    sites = "".join(_site(ground, name) for name in ground.certificates)
    return (
        "\n".join([*modules, *listen, *user])
        + f"""
ServerName localhost
PidFile {ground.folder}/apache.pid
DefaultRuntimeDir {ground.folder}
ErrorLog {ground.folder}/error.log
LogFormat "%{{remote}}p %U %{{User-Agent}}i" requests
CustomLog {ground.log} requests
TypesConfig /dev/null
AddType text/html .html
AddType text/plain .txt
AddDefaultCharset utf-8
KeepAlive On
KeepAliveTimeout 60
SSLSessionCache none
DocumentRoot {ground.site}
<Directory {ground.site}>
Require all granted
</Directory>
<Directory {ground.folder}/programs>
Require all granted
Options +ExecCGI
</Directory>
ScriptSock {ground.folder}/programs.sock
ScriptAlias /programs/ {ground.folder}/programs/
Action generated /{PROGRAM}
<Location /chunked/>
SetHandler generated
</Location>
<Location /many/>
SetHandler generated
</Location>
<Location /gzip/>
SetOutputFilter DEFLATE
</Location>
<Location /br/>
SetOutputFilter BROTLI_COMPRESS
</Location>
<Location /http1.0/>
SetHandler generated
</Location>
SetEnvIf Request_URI /http1.0/ nokeepalive downgrade-1.0 force-response-1.0
<Location /slow/>
SetHandler generated
SetOutputFilter RATE_LIMIT
SetEnv rate-limit 32
</Location>
<Location /fields/>
Header add X-oDD-Letters one
Header add Set-Cookie a=1
Header add Link "</style.css>; rel=preload; as=style"
Header add Set-Cookie b=2
Header add X-Latin "Smørrebrød"
</Location>
<Location /dated/>
FileETag None
</Location>
{sites}
"""
    )


def _site(ground: Ground, name: str) -> str:
    made = ground.certificates[name]
    # The first of a port is that of everybody who names nobody.
    return f"""
<VirtualHost *:{ground.plain_port}>
ServerName {name or "localhost"}
RedirectMatch 301 ^(/moved/.*) https://{name or "127.0.0.1"}:{ground.tls_port}$1
</VirtualHost>
<VirtualHost *:{ground.tls_port}>
ServerName {name or "localhost"}
SSLEngine on
SSLCertificateFile {made.certificate}
SSLCertificateKeyFile {made.key}
</VirtualHost>
"""
