"""What deploy/ says to systemd and Docker is what the program knows, and its bounds fit each other."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scheduler.cli import app
from scheduler.settings import ServiceSettings, load_settings, parse_size
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


def test_nothing_of_a_checkout_gets_into_an_image_but_what_it_is_made_of():
    lines = [line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    copied = re.findall(r"^COPY ((?!--)[\w. /]+) \S+$", text("Dockerfile"), re.MULTILINE)
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(" ".join(copied).split())


def test_what_init_writes_for_the_unit_is_where_the_unit_looks_and_may_write(tmp_path):
    """The notes in the unit say which command to type; typed, it names the folders that systemd gives the service."""
    notes = (DEPLOY / "morgue.service").read_text()
    (typed,) = re.findall(r"^#\s+/opt/morgue/bin/(morgue .* init .*)$", notes, re.MULTILINE)
    (config,) = re.findall(r"--config (\S+)", typed)
    assert directive("ExecStart") == [f"/opt/morgue/bin/morgue --config {config} run"]
    result = CliRunner().invoke(app, typed.replace(config, str(tmp_path / "morgue.toml")).split()[1:])
    assert (result.exit_code, [path.name for path in tmp_path.iterdir()]) == (0, ["morgue.toml"]), result.output
    settings = load_settings(tmp_path / "morgue.toml", {})
    (state,) = directive("StateDirectory")
    assert directive("WorkingDirectory") == [f"/var/lib/{state}"]
    assert settings.database.url == f"sqlite:////var/lib/{state}/morgue.db"
    assert str(settings.archive.directory) == f"/var/lib/{state}/archive"


def test_no_password_is_committed_by_mistake():
    secrets = {"/deploy/.env", "/deploy/morgue.toml"}
    assert secrets <= set((CHECKOUT / ".gitignore").read_text().splitlines())
