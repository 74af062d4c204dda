"""How much memory the service takes is read from Linux, and its ceiling from the configuration."""

import os
import subprocess
import sys

import pytest

from scheduler.memory import descendants, measure, parse_size


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


def process(proc, pid, parent, pss=None, name="morgue"):
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1")
    if pss is not None:
        (proc / str(pid) / "smaps_rollup").write_text(f"55d8-7ffd ---p 0 00:00 0\nRss: 9000 kB\nPss: {pss} kB\n")


def test_everything_that_a_process_started_counts(tmp_path):
    process(tmp_path, 10, 1, pss=100)
    process(tmp_path, 11, 10, pss=20, name="fork server) S 1 (")
    process(tmp_path, 12, 11, pss=30)
    process(tmp_path, 13, 12)  # it has just ended
    process(tmp_path, 20, 1, pss=500)
    (tmp_path / "meminfo").write_text("")
    assert descendants(10, proc=tmp_path) == {11, 12, 13}
    memory = measure(10, proc=tmp_path)
    assert memory is not None
    assert (memory.main_bytes, memory.children_bytes, memory.total_bytes) == (100 << 10, 50 << 10, 150 << 10)


def test_a_system_that_does_not_say_gives_nothing(tmp_path):
    assert measure(10, proc=tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts shared pages once")
def test_it_is_measured_here():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        memory = measure(os.getpid())
        assert child.pid in descendants(os.getpid())
    assert memory is not None
    assert memory.main_bytes > 1 << 20


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
