"""How much memory the service takes is read from Linux, and its ceiling from the configuration."""

import subprocess
import sys

import pytest

from scheduler.memory import measure
from scheduler.settings import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1500M", 1500 << 20),
        ("2G", 2 << 30),
        ("1.5g", 3 << 29),
        ("2 GiB", 2 << 30),
        ("1073741824", 1 << 30),
        ("none", None),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "1X", "10M", "1e9"])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match=r"no size|at least"):
        parse_size(text)


def test_everything_that_a_process_started_counts():
    """In a process of its own, which has a child that has one."""
    grandchild = "import sys; kept = b'.' * 30_000_000; print(flush=True); sys.stdin.read()"
    child = (
        "import subprocess, sys\n"
        f"with subprocess.Popen([sys.executable, '-c', {grandchild!r}]) as grandchild:\n"
        "    sys.stdin.read()\n"
    )
    program = (
        "import os, subprocess, sys\n"
        "from scheduler.memory import measure\n"
        "alone = measure(os.getpid())\n"
        f"with subprocess.Popen([sys.executable, '-c', {child!r}], stdin=-1, stdout=-1, text=True) as started:\n"
        "    started.stdout.readline()\n"
        "    beside = measure(os.getpid())\n"
        "    started.stdin.close()\n"
        "print(alone.children_bytes, beside.children_bytes > 30_000_000, beside.total_bytes > beside.main_bytes > 0)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["0", "True", "True"]


def test_a_process_that_has_ended_gives_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert measure(child.pid) is None


def test_memory_that_is_free_between_what_is_in_use_is_given_back():
    """In a process of its own: what pytest has freed before would be given back too."""
    program = (
        "import os\n"
        "from scheduler.memory import give_back_memory, measure\n"
        "blocks = [bytes(5000) for _ in range(20_000)]\n"
        "kept = blocks[::500]\n"
        "del blocks\n"
        "before = measure(os.getpid()).main_bytes\n"
        "given = give_back_memory()\n"
        "print(given, before - measure(os.getpid()).main_bytes > 50_000_000)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["True", "True"]
