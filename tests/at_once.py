"""Doing things at once, as several processes would."""

import threading
from collections.abc import Callable


def at_once(*works: Callable[[], object]) -> None:
    """Do each in a thread of its own, all begun together, and wait for their ends. Raises what any of them raised."""
    barrier = threading.Barrier(len(works))
    problems: list[BaseException] = []

    def begin(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except BaseException as problem:  # noqa: BLE001 - carried out of the thread
            problems.append(problem)

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
