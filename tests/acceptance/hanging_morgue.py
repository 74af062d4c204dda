"""`morgue` on a library that hangs: `python hanging_morgue.py --config FILE crawl …`.

An attempt at an address with `never-ends` in it never returns, and does not go when it is told to.
"""

import asyncio
import contextlib

from crawler import reactor  # noqa: F401 - installs the loop before anything else does
from crawler.download import Downloader


def hang() -> None:
    """Let some attempts never end."""
    attempt = Downloader.attempt

    async def hanging(self, url, headers, **options):
        if "never-ends" not in url:
            return await attempt(self, url, headers, **options)
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    Downloader.attempt = hanging


if __name__ == "__main__":
    hang()
    from scheduler.cli import main

    main()
