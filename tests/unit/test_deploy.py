"""What deploy/ says to systemd and Docker is what the program knows, and its bounds fit each other."""

import re
from pathlib import Path

import pytest

from scheduler.memory import parse_size
from scheduler.settings import ServiceSettings, load_settings
from scheduler.stop_signals import LEFT_SECONDS
from storage.engine import BUSY_TIMEOUT_SECONDS

CHECKOUT = Path(__file__).parents[2]
DEPLOY = CHECKOUT / "deploy"
_ASSIGNED = re.compile(r"(?:^|[\s=])(MORGUE_\w+)(?:=|: )(\S+)")


def text(name: str) -> str:
    """Return a file without its notes."""
    lines = (DEPLOY / name).read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def directive(name: str) -> list[str]:
    """Return the values of a directive of the systemd unit, in their order."""
    return re.findall(rf"^{name}=(.*)$", text("morgue.service"), re.MULTILINE)


def compose(key: str) -> list[str]:
    """Return the values of a key of the compose file, wherever it stands."""
    return re.findall(rf"^ +{key}: (\S.*)$", text("compose.yml"), re.MULTILINE)


@pytest.mark.parametrize("name", ["morgue.service", "compose.yml", "Dockerfile"])
def test_every_variable_is_one_that_the_program_takes(name, tmp_path):
    variables = {variable: value.rstrip("\\") for variable, value in _ASSIGNED.findall(text(name))}
    assert variables
    # What is unknown, or has a value of another kind, is an error.
    (tmp_path / "morgue.toml").touch()
    load_settings(tmp_path / "morgue.toml", variables)


def test_systemd_waits_longer_than_the_service_takes_and_bounds_it_above_its_own_ceiling():
    own = ServiceSettings()
    assert float(directive("TimeoutStopSec")[0]) > own.grace_seconds + LEFT_SECONDS
    (ceiling,) = re.findall(r"MORGUE_SERVICE__MAX_MEMORY=(\S+)", text("morgue.service"))
    assert parse_size(ceiling) < parse_size(directive("MemoryHigh")[0]) < parse_size(directive("MemoryMax")[0])
    (minutes,) = re.fullmatch(r"(\d+)min", directive("WatchdogSec")[0]).groups()
    assert int(minutes) * 60 >= 3 * BUSY_TIMEOUT_SECONDS
    # Of several, the last one that a systemd knows holds.
    assert directive("Type") == ["notify", "notify-reload"]
    # Workers of a group that is stopped as a whole would give up what they read.
    assert directive("KillMode") == ["mixed"]
    assert directive("ExecStart") == ["/opt/morgue/bin/morgue --config /etc/morgue/morgue.toml run"]


def test_the_containers_wait_longer_than_the_service_takes_and_ask_it_where_it_answers():
    own = ServiceSettings()
    _, port = own.http.split(":")
    assert f"http://127.0.0.1:{port}/healthz" in text("Dockerfile")
    assert compose("MORGUE_SERVICE__HTTP") == [f"0.0.0.0:{port}"]
    assert f'- "{port}"' in text("compose.yml")
    assert float(compose("stop_grace_period")[-1].removesuffix("s")) > own.grace_seconds + LEFT_SECONDS
    assert parse_size(compose("MORGUE_SERVICE__MAX_MEMORY")[0]) < parse_size(compose("mem_limit")[0])
    assert compose("command") == ["[db, upgrade]", "[run]"]


def test_what_an_image_is_made_of_is_there():
    copied = re.findall(r"^COPY ((?!--)[\w. /]+) \S+$", text("Dockerfile"), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {"requirements.lock", "pyproject.toml", "storage", "crawler", "scheduler", "migrations"} <= names
    assert [name for name in names if not (CHECKOUT / name).exists()] == []


def test_no_password_is_committed_by_mistake():
    secrets = {"/deploy/.env", "/deploy/morgue.toml"}
    assert secrets <= set((CHECKOUT / ".gitignore").read_text().splitlines())
