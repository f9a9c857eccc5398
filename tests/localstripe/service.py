"""localstripe as a process beside the tests, spoken to over HTTP on loopback."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from select import select
from typing import Any, Self
from urllib.parse import urlencode

from urllib3 import HTTPConnectionPool, Timeout

ROOT = Path(__file__).parents[2]
START_SECONDS = 30
CALL_SECONDS = 10
STOP_SECONDS = 5
MAX_LISTED = 1_000
"""More than any test makes; localstripe has no limit of its own."""

KEY = "sk_test_localstripe"

Content = dict[str, Any]


class DidNotStart(Exception):
    """localstripe did not say in time where it listens."""


class Refused(Exception):
    """localstripe's answer is an error: 400 for what it does not know, 402 for a decline."""

    def __init__(self, asked: str, status: int, error: Content) -> None:
        super().__init__(f"{asked}: {status} {error}")
        self.status = status
        self.error = error


class LocalStripe:
    """The process, and calls to it. Use it as a context manager, or `close` it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.loopback"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.port = self._read_port()
        except BaseException:
            self._end()
            raise
        timeout = Timeout(connect=CALL_SECONDS, read=CALL_SECONDS)
        self._pool = HTTPConnectionPool("127.0.0.1", self.port, timeout=timeout, retries=False)
        self.reached: Counter[str] = Counter()
        """How often each call reached it, by its route: `POST payment_intents/{id}/confirm`."""

    def _read_port(self) -> int:
        says = self._process.stdout
        assert says is not None
        readable, _, _ = select([says], [], [], START_SECONDS)
        line = says.readline() if readable else b""
        if not line:
            raise DidNotStart(f"nothing within {START_SECONDS} seconds")
        return int(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()
        self._end()

    def _end(self) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()  # It ends when its input does.
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        process.stdout.close()

    def call(self, method: str, path: str, content: Content | None = None) -> Content:
        """One call below `/v1/`. Raises `Refused`; anything else that is no answer is a
        `RuntimeError`."""
        asked = f"{method} {path}"
        self.reached[_without_ids(asked)] += 1
        target, body = f"/v1/{path}", None
        if method == "GET" and content:
            target += f"?{urlencode(content)}"
        elif content is not None:
            body = json.dumps(content)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        answer = self._pool.request(method, target, body=body, headers=headers)
        if answer.status >= 500:
            raise RuntimeError(f"{asked}: {answer.status} {answer.data!r}")
        found: Content = json.loads(answer.data)
        if answer.status != 200:
            raise Refused(asked, answer.status, found["error"])
        return found

    def all(self, kind: str, **where: str) -> list[Content]:
        """Everything of a kind (`charges`), oldest first."""
        page = self.call("GET", kind, {"limit": MAX_LISTED, **where})
        assert not page["has_more"]
        found: list[Content] = page["data"]
        return found

    def reset(self) -> None:
        """Forget everything but where webhooks go."""
        self._configure("DELETE", "data", {})
        self.reached.clear()

    def post_webhooks_to(self, url: str, secret: str) -> None:
        """Every event is posted there from now on, about a second after it happened."""
        self._configure("POST", "webhooks/punchcard", {"url": url, "secret": secret})

    def _configure(self, method: str, path: str, content: Content) -> None:
        headers = {"Content-Type": "application/json"}
        target = f"/_config/{path}"
        answer = self._pool.request(method, target, body=json.dumps(content), headers=headers)
        assert answer.status == 200, answer.data


def _without_ids(asked: str) -> str:
    return re.sub(r"/(cus|pm|pi|ch|re|evt)_[^/]+", "/{id}", asked)
