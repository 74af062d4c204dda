"""Hosts that say nothing keep those that answer waiting hardly at all; at length in `tests.benchmarks.silent_hosts`."""

import pytest

from tests.benchmarks.silent_hosts import try_out

GOOD, SILENT = 20, 80


@pytest.mark.parametrize("word", ["crawl", "run"])
def test_good_hosts_are_done_beside_four_times_as_many_silent_ones(word):
    alone, beside = (
        try_out([word], good=GOOD, bad=bad, kind="silent", delay_seconds=1.0, patience=600.0) for bad in (0, SILENT)
    )
    assert alone.seconds is not None and beside.seconds is not None
    print(f"alone {alone.seconds:.1f} s, beside {SILENT} silent ones {beside.seconds:.1f} s")
    # With 16 places, of which each silent host keeps one for 20 seconds, they would take 100 seconds more.
    assert beside.seconds < 2 * alone.seconds + 15
    if word == "run":
        # So many at least had begun by then: requests to hosts that may say nothing begin by and by.
        assert beside.stuck > SILENT // 8
        assert (alone.exit_code, beside.exit_code) == (0, 0)
