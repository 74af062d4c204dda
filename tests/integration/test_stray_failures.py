"""What fails where nobody waits for it is one event of the log, and nothing raw on standard error."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, gc, logging, sys, threading, warnings
from scheduler.log_output import configure_logging
from crawler import reactor

configure_logging(level=logging.INFO)

class Fragile:
    def __del__(self):
        raise LookupError("stray")

async def fail_unseen():
    from twisted.internet import defer
    secret = "a password that is nobody's business"
    async def fail():
        raise LookupError("stray")
    {what}
    gc.collect()
    await asyncio.sleep(0.1)
    gc.collect()

reactor.run(fail_unseen())
print("went on")
"""
FAILURES = {
    "a task": "task = asyncio.create_task(fail()); await asyncio.sleep(0.01); del task",
    "a callback": "asyncio.get_running_loop().call_soon(lambda: [][0])",
    "a deferred": "defer.fail(LookupError('stray'))",
    "a thread": "thread = threading.Thread(target=lambda: {}['stray']); thread.start(); thread.join()",
    "a finaliser": "Fragile()",
}


def run(what):
    """Run a program in which something fails, and return its exit code, output and log."""
    program = PROGRAM.replace("{what}", what)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    lines = ended.stderr.splitlines()
    assert all(line.startswith("{") for line in lines), ended.stderr
    return ended.returncode, ended.stdout, [json.loads(line) for line in lines]


@pytest.mark.parametrize("what", FAILURES.values(), ids=FAILURES)
def test_what_fails_unseen_is_one_event_and_the_process_goes_on(what):
    code, output, log = run(what)
    assert (code, output) == (0, "went on\n")
    (event,) = log
    assert (event["event"], event["level"]) == ("stray_failure", "error")
    assert event["exception"][0]["exc_type"] in ("LookupError", "IndexError", "KeyError")


def test_what_ends_the_process_and_what_python_warns_of_are_events_too():
    code, _, log = run("warnings.warn('careful', UserWarning); await fail()")
    assert code == 1
    assert [event["event"] for event in log] == ["library_warning", "crashed"]
