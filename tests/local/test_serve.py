"""Serving on a socket ([RUN])."""

import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.serve import CannotServe, Running, WithoutMetrics, listen

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 10


@pytest.fixture
def running() -> Iterator[Running]:
    served = Running(port=0, demo=False)
    yield served
    served.stop()


def _ask(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", "example.com"])
def test_nothing_but_loopback_is_served(host: str) -> None:
    with pytest.raises(CannotServe, match=r"127\.0\.0\.1 only"):
        listen(host, 0)


def test_a_busy_port_is_named_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=f"Port {port} is not free; choose another"):
            listen("127.0.0.1", port)


def test_metrics_are_not_printed_and_everything_else_is() -> None:
    out = io.StringIO()
    stream = WithoutMetrics(out)
    print("before", file=stream)
    print('{"_aws": {}}', file=stream)
    print("after", file=stream)
    assert out.getvalue() == "before\nafter\n"


def test_pages_of_this_machine_are_served(running: Running) -> None:
    status, body = _ask(running.port, "GET", "/_local/mail", Accept="application/json")
    assert (status, json.loads(body)) == (200, [])
    assert _ask(running.port, "GET", "/no-such-page")[0] == 404


def test_a_head_has_no_body(running: Running) -> None:
    assert _ask(running.port, "HEAD", "/_local/clock") == (200, b"")


def test_the_clock_is_moved_over_http_and_runs_on(running: Running) -> None:
    before = running.world.now()
    status, body = _ask(
        running.port,
        "POST",
        "/_local/clock",
        b'{"advance": "PT1H"}',
        Content_Type="application/json",
    )
    assert status == 200, body
    first = running.world.now()
    assert (first - before).total_seconds() >= 3600
    assert running.world.now() > first


def test_the_sandbox_can_be_reached_while_a_handler_is_at_work(running: Running) -> None:
    with running.world.lock:
        status, _ = _ask(running.port, "GET", "/_local/sandbox/card-setups/unknown")
    assert status == 404


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_the_command_says_once_that_it_is_ready_and_ends_when_told() -> None:
    environment = {**os.environ, "PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Punchcard is ready at http://127.0.0.1:"), process.stderr
        # Its own processor time: what else runs on this machine is not its doing.
        assert _processor_seconds(process.pid) < READY_SECONDS
        port = int(line.rsplit(":", 1)[1])
        assert _ask(port, "GET", "/_local/clock")[0] == 200
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert rest == ""
    assert process.returncode == 0


def test_the_command_says_when_its_port_is_taken(running: Running) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "infra.local.serve"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(running.port)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "is not free; choose another" in ended.stderr
    assert "Traceback" not in ended.stderr
