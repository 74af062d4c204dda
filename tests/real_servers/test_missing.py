"""A server that is not installed is named, and missed where nobody reads a warning."""

from pathlib import Path

import pytest

from tests.real_servers.nginx import Nginx
from tests.real_servers.server import ServerMissing, required, running


class Absent(Nginx):
    """A server that nobody has."""

    program = "no-such-server"


def test_a_missing_server_is_named_with_what_brings_it(tmp_path: Path):
    with (
        pytest.raises(ServerMissing, match=r"nginx: no-such-server is not installed \(Debian packages nginx and"),
        running(Absent(), tmp_path, site=tmp_path, certificates={}),
    ):
        pass


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [({}, False), ({"CI": "true"}, True), ({"CI": "0"}, False), ({"MORGUE_TEST_REQUIRE_SERVERS": "1"}, True)],
)
def test_it_fails_the_tests_at_the_gate(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool):
    for name in ("CI", "MORGUE_TEST_REQUIRE_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert required() is wanted
