"""`morgue` for whom some names have addresses: `python morgue_with_names.py crawl …`.

`MORGUE_TEST_NAMES` is a JSON object of addresses by name. The system's own resolver is asked for all others.
"""

import json
import os
import socket
from typing import Any

NAMES = "MORGUE_TEST_NAMES"


def know_names() -> None:
    """Answer for the names before anything binds the system's function."""
    names = json.loads(os.environ.get(NAMES, "{}"))
    asked = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return asked(names.get(name, host), *arguments, **more)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    know_names()
    from scheduler.cli import main

    main()
