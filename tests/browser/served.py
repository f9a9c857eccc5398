"""Punchcard on a free port of loopback, in this process, with a clock that stands still."""

import logging
import os
from datetime import datetime
from threading import Thread
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from infra.local.serve import HOST, App, listen
from infra.local.world import LocalWorld

logging.getLogger("werkzeug").setLevel(logging.ERROR)
os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")


POLL_SECONDS = 0.02
"""How soon the server sees that it is to end."""


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


class Served:
    """A world that browsers reach at `address` while this is open."""

    def __init__(self, start: datetime) -> None:
        listener = listen(HOST, 0)
        self.address = f"http://{HOST}:{listener.getsockname()[1]}"
        self.world = LocalWorld(start=start, public_url=self.address)
        self._server = make_server(
            HOST,
            listener.getsockname()[1],
            App(self.world),
            threaded=True,
            request_handler=_Quiet,
            fd=listener.fileno(),
        )
        listener.close()
        Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="http", daemon=True
        ).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.world.close()
