"""Serves localstripe: `python -m tests.localstripe.loopback` prints the port that it took.

It is what `python -m localstripe --from-scratch` serves, with two differences: that command listens
on every address of the machine (and only where there is IPv6), this one on 127.0.0.1 alone; and
that one writes its data to one file in `/tmp` which all users of a machine share, here they stay in
memory. It ends when its standard input does, so it never outlives the tests.
"""

import os
import socket
import sys
from threading import Thread

from aiohttp import web
from localstripe.resources import store  # type: ignore[import-untyped]
from localstripe.server import app  # type: ignore[import-untyped]


def main() -> None:
    store.dump_to_disk = _stay_in_memory
    Thread(target=_end_with_the_tests, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sys.stdout.write(f"{taken.getsockname()[1]}\n")
        sys.stdout.flush()
        web.run_app(app, sock=taken, access_log=None, print=None)


def _stay_in_memory() -> None:
    """Instead of writing everything to disk after each change."""


def _end_with_the_tests() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
