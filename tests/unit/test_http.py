"""The address where health and metrics are told: real HTTP, friendly and unfriendly clients."""

import http.client
import socket
import threading
import time
from http import HTTPStatus

import pytest
from structlog.testing import capture_logs

from scheduler import http as watched_http
from scheduler.http import Answer, HttpServer, HttpUnavailable, healthz
from scheduler.settings import parse_address


@pytest.fixture
def answers():
    return {"/healthz": lambda: healthz(status="ok", problems=[], seconds=12.3)}


@pytest.fixture
def server(answers):
    server = HttpServer(("127.0.0.1", 0), answers)
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def unwritten_logs():
    """Logs are kept, for writing each client that left with its traceback takes longer than any of them waits."""
    with capture_logs() as logs:
        yield logs


def ask(server: HttpServer, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:6674", ("127.0.0.1", 6674)),
        ("[::1]:6674", ("::1", 6674)),
        (":6674", ("", 6674)),
        ("[::]:0", ("::", 0)),
        ("metrics.example.org:80", ("metrics.example.org", 80)),
        ("off", None),
        ("", None),
        (" Off ", None),
    ],
)
def test_addresses_are_read(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["6674", "127.0.0.1", "127.0.0.1:", "::1:6674", "[::1]", "127.0.0.1:66740", "127.0.0.1:-1", "[127.0.0.1]:1",
     "http://127.0.0.1:6674", "a b:1", "127.0.0.1:6674/healthz", "127.0.0.1:٣"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="must be an address and a port"):
        parse_address(text)


def test_healthz_is_json_and_200_only_when_all_is_well(server, answers):
    status, headers, body = ask(server, "/healthz")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert body == b'{"status": "ok", "uptime_seconds": 12, "problems": []}\n'
    for stage in ("starting", "stopping", "unhealthy"):
        answers["/healthz"] = lambda stage=stage: healthz(status=stage, problems=[{"code": "x"}], seconds=1)
        assert ask(server, "/healthz?verbose")[0] == 503
    answers["/healthz"] = lambda: healthz(status="stopping", problems=[], seconds=1, doing="stopping; pages in hand: 1")
    assert b'"doing": "stopping; pages in hand: 1"' in ask(server, "/healthz")[2]


def test_head_has_the_headers_and_no_body(server):
    status, headers, body = ask(server, "/healthz", "HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == "55"


def test_other_paths_and_methods_are_not_there(server):
    assert ask(server, "/")[0] == 200
    assert ask(server, "/etc/passwd")[0] == 404
    assert ask(server, "/healthz/..")[0] == 404
    assert ask(server, "/healthz", "POST")[0] == 501
    assert ask(server, "/healthz", "DELETE")[0] == 501


def test_nothing_is_said_of_the_machine(server):
    _, headers, _ = ask(server, "/")
    assert headers["server"].strip() == "morgue"


def test_a_port_that_is_taken_is_named(server, answers):
    with pytest.raises(HttpUnavailable, match=rf"127.0.0.1:{server.port} cannot be listened on \(Address already"):
        HttpServer(("127.0.0.1", server.port), answers).start()


def test_a_name_that_leads_nowhere_is_named(answers):
    with pytest.raises(HttpUnavailable, match="cannot be listened on"):
        HttpServer(("nowhere.invalid", 0), answers).start()


def test_the_port_is_free_again_after_the_stop(answers):
    first = HttpServer(("127.0.0.1", 0), answers)
    first.start()
    port = first.port
    before = ask(first, "/healthz")
    first.stop()
    second = HttpServer(("127.0.0.1", port), answers)
    second.start()
    try:
        assert ask(second, "/healthz")[::2] == before[::2]
    finally:
        second.stop()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_is_spoken(answers):
    server = HttpServer(("::1", 0), answers)
    try:
        server.start()
    except HttpUnavailable:
        pytest.skip("no IPv6 here")
    connection = http.client.HTTPConnection("::1", server.port, timeout=20)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    server.stop()


def test_clients_that_say_nothing_hold_up_nobody_for_long(server, monkeypatch):
    monkeypatch.setattr(watched_http, "REQUEST_SECONDS", 0.5)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(watched_http.REQUESTS_AT_ONCE * 2)]
    for one in silent[::2]:
        one.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    deadline = time.monotonic() + 20
    while True:
        # While all places are taken, others are hung up on; soon the silent ones are.
        try:
            assert ask(server, "/healthz")[0] == 200
            break
        except (http.client.HTTPException, OSError):
            assert time.monotonic() < deadline
    for one in silent:
        one.close()


def test_idle_connections_shut_out_nobody(answers, monkeypatch):
    # Not even for as long as they may be silent.
    monkeypatch.setattr(watched_http, "REQUEST_SECONDS", 600.0)
    monkeypatch.setattr(watched_http, "PLACE_SECONDS", 600.0)
    monkeypatch.setattr(watched_http._Handler, "timeout", 600.0)
    refused = []
    server = HttpServer(("127.0.0.1", 0), answers, on_refused=lambda: refused.append(1))
    server.start()
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2 * watched_http.REQUESTS_AT_ONCE)]
    try:
        for client in idle:
            client.send(b"GET /he")
        assert ask(server, "/healthz")[0] == 200
        assert len(refused) == watched_http.REQUESTS_AT_ONCE + 1
    finally:
        for client in idle:
            client.close()
        server.stop()


def test_whoever_has_asked_is_answered_however_many_come_after(answers, monkeypatch):
    monkeypatch.setattr(watched_http, "REQUEST_SECONDS", 600.0)
    monkeypatch.setattr(watched_http._Handler, "timeout", 600.0)
    refused, heard, go = [], threading.Semaphore(0), threading.Event()

    def slow():
        heard.release()
        go.wait()
        return answers["/healthz"]()

    answers["/slow"] = slow
    server = HttpServer(("127.0.0.1", 0), answers, on_refused=lambda: refused.append(1))
    server.start()
    asking = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(watched_http.REQUESTS_AT_ONCE)]
    try:
        for client in asking:
            client.send(b"GET /slow HTTP/1.0\r\n\r\n")
        for _ in asking:
            heard.acquire()
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(server, "/healthz")
        go.set()
        assert all(client.recv(100).startswith(b"HTTP/1.0 200") for client in asking)
        assert len(refused) == 1
        assert ask(server, "/healthz")[0] == 200
    finally:
        go.set()
        for client in asking:
            client.close()
        server.stop()


def test_a_client_that_drips_is_left_behind(server, monkeypatch):
    monkeypatch.setattr(watched_http, "REQUEST_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        deadline = time.monotonic() + 20
        with pytest.raises(OSError):
            while time.monotonic() < deadline:
                client.sendall(b"X")
                time.sleep(0.05)


def test_an_answer_that_breaks_costs_only_its_request(server, answers):
    def broken() -> Answer:
        raise LookupError("a bug")

    answers["/metrics"] = broken
    with pytest.raises(http.client.HTTPException):
        ask(server, "/metrics")
    assert ask(server, "/healthz")[0] == 200


def test_it_answers_while_many_ask(server, answers):
    gate = threading.Event()

    def slow() -> Answer:
        gate.wait(20)
        return Answer(HTTPStatus.OK, "text/plain", b"late")

    answers["/metrics"] = slow
    found = []
    waiting = [threading.Thread(target=lambda: found.append(ask(server, "/metrics")[2])) for _ in range(5)]
    for thread in waiting:
        thread.start()
    assert ask(server, "/healthz")[0] == 200
    gate.set()
    for thread in waiting:
        thread.join()
    assert found == [b"late"] * 5
