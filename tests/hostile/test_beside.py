"""Whatever others send, a good publisher's articles come in time, health is told of, and the service can be stopped.

A selection, all at once; `python -m tests.hostile --beside` tries each input by itself.
"""

from pathlib import Path

import pytest

from tests.hostile.beside import run_beside
from tests.hostile.beside_inputs import INPUTS

SELECTED = (
    "robots, agents times rules",
    "feed, open tags",
    "feed, always new",
    "page, elements",
    "codings, layers",
    "labels",
)


@pytest.mark.slow
def test_hostile_publishers_cost_a_good_one_nothing(tmp_path: Path):
    chosen = [one for one in INPUTS if one.name in SELECTED]
    assert len(chosen) == len(SELECTED)
    for name in ("alone", "beside"):
        (tmp_path / name).mkdir()
    alone = run_beside([], tmp_path / "alone", seconds=12)
    beside = run_beside(chosen, tmp_path / "beside", seconds=24)
    assert beside.faults(alone) == []
    assert not beside.problems
