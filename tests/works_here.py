"""Work done at once and in this process, for tests of what asks for it."""

from collections.abc import Callable
from typing import TypeVar

from crawler.worker_pool import Kind, WorkFailed

Result = TypeVar("Result")


class WorksHere:
    """Does what a worker would; with `failure` all of it fails for that reason."""

    def __init__(self, failure: str | None = None) -> None:
        self.failure = failure

    async def run(
        self, function: Callable[..., Result], *args: object, owner: str, kind: Kind = Kind.SHORT, about: str = ""
    ) -> Result:
        """Return what the function returns."""
        if self.failure is not None:
            raise WorkFailed(self.failure)
        return function(*args)
