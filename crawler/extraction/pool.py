"""Reading a page in another process: what it is given, and a pool of processes for many files at a time."""

import multiprocessing
from dataclasses import dataclass
from datetime import datetime

from pebble import ProcessPool

from crawler.extraction.identity import extractor_id
from crawler.extraction.reading import Reading
from crawler.worker_pool import MAX_MEMORY_BYTES, prepare_worker
from storage.model import Headers


@dataclass(frozen=True, kw_only=True)
class ReadTask:
    """A page to be read. `body` has its content codings undone; `timezone` is an IANA name or None.

    `headers` are the response's, and `robots_token` our name in robots.txt: by both it is told what the page permits.
    """

    body: bytes
    content_type: str | None
    url: str
    timezone: str | None
    captured_at: datetime
    headers: Headers = ()
    robots_token: str = ""


def worker_pool(
    *, processes: int, max_tasks: int = 500, max_memory_bytes: int | None = MAX_MEMORY_BYTES
) -> ProcessPool:
    """Return a pool of processes that have the extractor loaded, started with the first task."""
    # The parent has threads, so plain fork is out; the fork server loads the extractor once for all workers.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crawler.extraction.reader", "crawler.extraction.decoding"])
    return ProcessPool(
        max_workers=processes,
        max_tasks=max_tasks,
        initializer=prepare_worker,
        initargs=[max_memory_bytes],
        context=context,
    )


def read_task(task: ReadTask) -> Reading:
    """Decode and read one page, in this process."""
    from crawler.extraction import decode_html, extract  # noqa: PLC0415 - loads trafilatura

    html = decode_html(task.body, content_type=task.content_type)
    return extract(
        html,
        url=task.url,
        timezone=task.timezone,
        captured_at=task.captured_at,
        extractor=extractor_id(timezone=task.timezone),
        headers=task.headers,
        robots_token=task.robots_token,
    )
