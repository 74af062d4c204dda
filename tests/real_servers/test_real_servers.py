"""What real servers send reaches the archive as curl gets it: outcome, status, header fields and every byte."""

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.morgue_command import MORGUE
from tests.real_servers import pages
from tests.real_servers.archived import LONGEST_SECONDS, surroundings
from tests.real_servers.certificates import NAMES
from tests.real_servers.comparing import (
    SERVERS,
    VALIDATED,
    Compared,
    Page,
    Stage,
    as_sent,
    compared,
    digest,
    in_any_order,
    make_stage,
    pages_of,
)
from tests.real_servers.curl import CurlMissing
from tests.real_servers.server import RealServer, ServerMissing, ServerSkipped, has_ipv6, required

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The site and the certificates, in a folder that the servers' own users may read."""
    with tempfile.TemporaryDirectory(prefix="morgue-servers-") as folder:
        yield make_stage(Path(folder))


class Tried(dict[type[RealServer], Compared | Exception]):
    """What came of each server, which is started and crawled when it is first asked for."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        super().__init__()
        self._stage = stage
        self._stack = stack

    def __missing__(self, server: type[RealServer]) -> Compared | Exception:
        try:
            found: Compared | Exception = self._stack.enter_context(compared(server, self._stage))
        except (ServerMissing, CurlMissing, RuntimeError) as problem:
            found = problem
        self[server] = found
        return found


@pytest.fixture(scope="session")
def tried(stage: Stage) -> Iterator[Tried]:
    """All servers that were asked for so far. They run until the end."""
    with ExitStack() as stack:
        yield Tried(stage, stack)


@pytest.fixture
def result(request: pytest.FixtureRequest, tried: Tried) -> Compared:
    """A server, and what both clients got. Without it its tests are skipped with a warning, or fail."""
    found = tried[request.param]
    if isinstance(found, Compared):
        return found
    if isinstance(found, RuntimeError) or required():
        pytest.fail(f"a server cannot be tried: {found}", pytrace=False)
    warnings.warn(ServerSkipped(f"NOT TESTED WITH A REAL SERVER: {found}"), stacklevel=1)
    pytest.skip(f"NOT TESTED WITH A REAL SERVER: {found}")


def of_each_server(wanted: Callable[[Page], bool] = lambda page: True) -> pytest.MarkDecorator:
    """Run a test for these pages of every server; all of one server in one process."""
    return pytest.mark.parametrize(
        ("result", "page"),
        [
            pytest.param(server, page, id=f"{server.name}-{page}", marks=pytest.mark.xdist_group(server.name))
            for server in SERVERS
            for page in pages_of(server)
            if wanted(page)
        ],
        indirect=["result"],
    )


each_server = pytest.mark.parametrize(
    "result",
    [pytest.param(server, id=server.name, marks=pytest.mark.xdist_group(server.name)) for server in SERVERS],
    indirect=True,
)


def is_archived(page: Page) -> bool:
    return page.framing is not pages.MOVED


@of_each_server(is_archived)
def test_a_page_is_archived_as_curl_gets_it(result: Compared, page: Page, stage: Stage):
    url = result.url(page)
    row, record, seen = result.crawled.row(url), result.crawled.record(url), result.curl(url)
    assert (row.outcome, row.reason) == ("created", None)
    assert (row.status, record.status) == (seen.status, seen.status)
    assert in_any_order(record.fields) == in_any_order(seen.fields)
    assert digest(record.body) == digest(seen.body)
    assert row.bytes_received == len(seen.body)
    assert digest(seen.decoded) == digest((stage.site / page.path.lstrip("/")).read_bytes())


@of_each_server(is_archived)
def test_the_head_of_an_answer_is_kept_as_sent(result: Compared, page: Page):
    record, seen = result.crawled.record(result.url(page)), result.curl(result.url(page))
    assert record.http_version == seen.http_version
    assert record.reason_phrase == seen.reason_phrase
    assert as_sent(record.fields) == as_sent(seen.fields)


@of_each_server()
def test_the_server_sends_it_that_way(result: Compared, page: Page):
    """Holds the servers' configurations to what their pages are called."""
    seen = result.curl(result.url(page))
    chunked = (seen.header("Transfer-Encoding") or "").lower() == "chunked"
    length = seen.header("Content-Length")
    asked_for = dict(result.crawled.record(result.url(page)).request_fields) if is_archived(page) else {}
    match page.framing:
        case pages.LENGTH:
            assert (chunked, length) == (False, str(len(seen.body)))
        case pages.CHUNKED | pages.SLOW | pages.TRAILERS:
            assert (chunked, length, seen.http_version) == (True, None, "HTTP/1.1")
        case pages.GZIP | pages.BROTLI | pages.ZSTD:
            taken = page.framing.name in asked_for["Accept-Encoding"]
            assert seen.header("Content-Encoding") == (page.framing.name if taken else None)
        case pages.CLOSE:
            assert (chunked, length, seen.http_version) == (False, None, "HTTP/1.1")
            assert seen.header("Connection") == "close"
        case pages.HTTP_1_0:
            assert (chunked, length, seen.http_version) == (False, None, "HTTP/1.0")
        case pages.HINTS:
            assert 103 in seen.interim
        case pages.FIELDS:
            assert [value for name, value in seen.fields if name.lower() == "set-cookie"] == ["a=1", "b=2"]
            assert seen.header("x-odd-letters") == "one"
        case pages.MOVED:
            assert seen.status == 301
    if page.framing is pages.TRAILERS:
        assert ("X-Checksum", "f00d") in seen.trailers


@of_each_server(lambda page: page.framing in VALIDATED)
def test_a_second_look_is_answered_without_a_body(result: Compared, page: Page):
    url = result.url(page)
    row, known = result.again.row(url), result.known[url]
    assert not isinstance(known, str), known
    assert known.status == 304
    assert (row.outcome, row.reason, row.status, row.bytes_received) == ("not_modified", None, 304, 0)
    for name in ("etag", "last-modified"):
        assert row.headers.get(name) == known.header(name)


@of_each_server(lambda page: page.framing in VALIDATED)
def test_the_head_of_an_answer_without_a_body_is_kept_as_sent(result: Compared, page: Page):
    """Also the length of what it does not send."""
    known = result.known[result.url(page)]
    assert not isinstance(known, str), known
    kept = {name: value for name, value in result.again.row(result.url(page)).headers.items() if name != "date"}
    assert kept == {name: known.header(name) for name in kept}


@of_each_server(lambda page: page.framing is pages.MOVED)
def test_a_redirect_to_https_is_a_row_and_its_target_another(result: Compared, page: Page, stage: Stage):
    url = result.url(page)
    target = result.server.url(page.path, tls=True)
    row, landed, seen = result.crawled.row(url), result.crawled.row(target), result.curl(url)
    assert (row.outcome, row.status, row.hop) == ("redirected", seen.status, 0)
    assert row.location == seen.header("Location") == target
    assert (landed.outcome, landed.status, landed.hop) == ("created", 200, 1)
    record = result.crawled.record(target)
    assert digest(record.body) == digest(result.curl(target).body)
    assert digest(result.curl(target).decoded) == digest((stage.site / page.path.lstrip("/")).read_bytes())


@each_server
def test_all_pages_of_a_host_come_on_few_connections(result: Compared):
    for tls in (False, True):
        urls = [result.server.url(path, tls=tls) for path in pages.many_paths()]
        assert {result.crawled.row(url).outcome for url in urls} == {"created"}
        assert [result.crawled.record(url).body for url in urls] == [result.curl(url).body for url in urls]
    assert len(result.connections) == 2 * pages.MANY
    # One for http and one for https; a server may close one of them in the midst of it.
    assert len(set(result.connections)) <= 4


@each_server
@pytest.mark.skipif(not has_ipv6(), reason="NOT TESTED OVER IPv6: this machine has no ::1")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_page_comes_over_ipv6(result: Compared, tls: bool):
    url = result.server.url(pages.page_path(pages.CHUNKED, "2 KB"), tls=tls, host="::1")
    assert result.crawled.row(url).outcome == "created"
    assert digest(result.crawled.record(url).body) == digest(result.curl(url).body)


@each_server
@pytest.mark.parametrize("name", NAMES)
def test_names_at_one_port_have_each_its_certificate(result: Compared, name: str):
    if not result.server.server.has_names:
        pytest.skip(f"{result.server.server.name} has one certificate a port")
    url = result.server.url(pages.page_path(pages.CHUNKED, "2 KB"), tls=True, host=name)
    assert result.again.row(url).outcome == "created"
    assert digest(result.again.record(url).body) == digest(result.curl(url).body)


@each_server
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_make_crawl_archives_a_page(result: Compared, tls: bool, stage: Stage, tmp_path: Path):
    """With everything installed, as after the first `make crawl`."""
    shutil.copyfile(CHECKOUT / "Makefile", tmp_path / "Makefile")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", ".venv/bin/pip", ".venv/.installed"):
        (tmp_path / name).touch()
    (programs / "morgue").symlink_to(MORGUE)
    url = result.server.url(pages.page_path(pages.CHUNKED, "2 KB"), tls=tls)
    # Without what `make test` hands down to those it calls.
    kept = {name: value for name, value in surroundings(stage.trusted).items() if not name.startswith(("MAKE", "MFL"))}
    done = subprocess.run(
        ["make", "crawl", f"URL={url}"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "fetched: 1 created" in done.stdout


@each_server
def test_crawls_end(result: Compared):
    assert result.crawled.ended, result.crawled.said
    assert result.again.ended, result.again.said
    assert "Traceback" not in result.crawled.said + result.again.said
