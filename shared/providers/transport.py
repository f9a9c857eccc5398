"""How an adapter reaches its provider: one HTTP call, bounded in time and size, never repeated.

Whether a call may be repeated is decided where its meaning is known ([ONCE]), not here.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import PoolManager

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
MAX_CONNECTIONS = 4
"""To one provider at once, of one function. A call that finds none free waits like one that can't
connect, and is then given up unsent."""

MAX_ANSWER_BYTES = 1_000_000

Transport = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""`(method, path, headers, body)` to `(status, body)`; raises `TransportTimeout`."""


class TransportTimeout(Exception):
    """No whole answer came: a time-out, a refused or a broken connection. It is open whether
    the provider acted."""


@cache
def _pool() -> "PoolManager":
    from urllib3 import PoolManager, Timeout

    timeout = Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
    return PoolManager(timeout=timeout, retries=False, maxsize=MAX_CONNECTIONS, block=True)


def over_http(base_url: str, answer_seconds: int = READ_TIMEOUT_SECONDS) -> Transport:
    """A transport to `base_url`, which waits `answer_seconds` for an answer. Connections are kept
    alive; nothing is loaded before the first call; redirects are not followed."""
    root = base_url.rstrip("/")

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        try:
            response = _pool().request(
                method,
                root + path,
                headers=headers,
                body=body or None,
                redirect=False,
                preload_content=False,
                timeout=Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=answer_seconds),
            )
            answer = response.read(MAX_ANSWER_BYTES + 1, decode_content=True)
        except HTTPError as error:
            raise TransportTimeout(f"{method} {path}") from error
        if len(answer) > MAX_ANSWER_BYTES:
            response.close()
            raise TransportTimeout(f"{method} {path}: an answer beyond {MAX_ANSWER_BYTES} bytes")
        response.release_conn()
        return response.status, answer

    return send
