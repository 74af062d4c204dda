"""What those who watch the service are told before it is there.

Apart from `scheduler.watching`, so that nothing large has to be loaded first.
"""

import structlog

from scheduler.health import Health
from scheduler.http import Answer, HttpServer, HttpUnavailable, healthz
from scheduler.settings import Settings, parse_address

log = structlog.get_logger()


class EarlyAnswers:
    """Listens for those who watch, and says that the service is starting: a big database takes its time to be opened,
    and many new sources to be taken in. `server` is None where nothing is listened on."""

    def __init__(self, settings: Settings) -> None:
        address = parse_address(settings.service.http)
        self._settings = settings
        self._health = Health()
        self._listening = False
        self.server = None if address is None else HttpServer(address, {"/healthz": self._healthz})

    def begin(self) -> None:
        """Listen, if that has not begun. Raises `HttpUnavailable` where an address was configured."""
        if self.server is None or self._listening:
            return
        try:
            self.server.start()
        except HttpUnavailable as problem:
            if "http" in self._settings.service.model_fields_set:
                raise
            # Nobody asked for it, so nobody misses it; a second instance on one machine must not need a setting.
            log.warning("http_unavailable", problem=str(problem))
            self.server = None
        else:
            self._listening = True
            log.info("http_listening", address=self._settings.service.http, port=self.server.port)

    def end(self) -> None:
        """Listen no more."""
        if self.server is not None and self._listening:
            self._listening = False
            self.server.stop()

    def _healthz(self) -> Answer:
        seconds = self._health.seconds()
        return healthz(status=self._health.stage.value, problems=[], seconds=seconds, doing="opening the database")
