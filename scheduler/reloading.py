"""Reads the configuration again while the service runs, when SIGHUP or `morgue sources reload` asks for it."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from crawler.runner import Crawling
from scheduler.configuration_changes import differing, needs_restart
from scheduler.reload_requests import ANSWERED, ASKED, ids_in
from scheduler.sd_notify import Notifier
from scheduler.settings import Settings
from scheduler.syncing import sync
from storage.clock import utc_now
from storage.errors import ConfigurationError
from storage.model import Source
from storage.wording import counted

log = structlog.get_logger()

MOST_NAMED = 20


class Reloading:
    """Takes up a changed configuration. A broken one changes nothing: the old one stays in force.

    `on_reloaded` is given the settings that are in force from then on.
    """

    def __init__(
        self,
        settings: Settings,
        crawling: Crawling,
        *,
        read_settings: Callable[[], tuple[Settings, Sequence[Source]]],
        notifier: Notifier,
        on_reloaded: Callable[[Settings], None],
    ) -> None:
        self._started_with = settings
        self._settings = settings
        self._crawling = crawling
        self._read_settings = read_settings
        self._notifier = notifier
        self._on_reloaded = on_reloaded
        self._asked = False
        self._seen_id: str | None = None

    async def begin(self) -> None:
        """Leave alone what was asked before this start: it has read the newest configuration anyway."""
        ids = await self._asked_ids()
        self._seen_id = ids[-1] if ids else None

    def ask(self) -> None:
        """Have the configuration read at the next tick."""
        self._asked = True

    async def heed(self) -> None:
        """Read the configuration again if that was asked. Raises `DatabaseUnavailable`; then it is still asked."""
        ids = await self._asked_ids()
        by_command = bool(ids) and ids[-1] != self._seen_id
        by_signal = self._asked
        if not by_command and not by_signal:
            return
        # Before the file is read: what is asked from now on is about a newer one.
        self._asked = False
        self._notifier.reloading()
        try:
            answer = await self._reload()
            if by_command:
                await self._answer(ids, answer)
        except BaseException:
            self._asked = self._asked or by_signal
            raise
        finally:
            self._notifier.ready(f"Watching {counted(len(self._settings.source), 'configured source')}")
        self._seen_id = ids[-1] if ids else None

    async def _reload(self) -> Mapping[str, Any]:
        try:
            wanted, sources = await asyncio.to_thread(self._read_settings)
        except ConfigurationError as problem:
            return _refused(problem)
        before = self._settings
        if wanted.file is None and before.file is not None:
            return _refused(ConfigurationError(str(before.file), "is not there any more", "put it back"))
        if wanted.file is not None:
            await asyncio.to_thread(sync, self._crawling.store, sources)
        await asyncio.to_thread(self._crawling.sources.reload)
        self._settings = wanted
        self._on_reloaded(wanted)
        keys = needs_restart(self._started_with, wanted)
        if keys:
            log.warning("needs_restart", keys=keys)
        counts = differing(before, wanted)
        gone = sorted({one.slug for one in before.source} - {one.slug for one in wanted.source})[:MOST_NAMED]
        if gone:
            log.warning("sources_gone", slugs=gone)
        log.info("reloaded", sources=len(wanted.source), **counts)
        return {"problem": None, "needs_restart": keys, "sources": len(wanted.source), "gone": gone, **counts}

    async def _asked_ids(self) -> list[str]:
        """Return the ids of those who ask, the last one last; several may ask at once."""
        found = await self._crawling.read(lambda tx: tx.service_state.get(ASKED))
        return ids_in(found[0] if found is not None else None)

    async def _answer(self, ids: Sequence[str], answer: Mapping[str, Any]) -> None:
        now = utc_now()
        value = {"ids": list(ids), "pid": os.getpid(), "host": socket.gethostname(), **answer}
        await self._crawling.recorder.write(lambda tx: tx.service_state.put(ANSWERED, value, now))


def _refused(problem: ConfigurationError) -> Mapping[str, Any]:
    log.error("reload_failed", problem=str(problem))
    return {"problem": str(problem), "needs_restart": []}
