"""Amazon's own DynamoDB for one machine, as the second engine: for races and read units.

It comes in the npm package `amplify-dynamodb-simulator` and needs a Java runtime. It keeps all in
memory and listens on loopback only for as long as this process wants it.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any, Self

from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from infra.local.aws import Answer
from infra.local.template import REGION
from shared.domain.due import Lane

EMULATOR = (
    Path(__file__).resolve().parents[2] / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
)
START_SECONDS = 30
STOP_SECONDS = 5
POLL_SECONDS = 0.05
CALL_SECONDS = 10
MAX_CONNECTIONS = 40


class NotInstalled(Exception):
    """The jar or Java is missing; the message says what to install."""


class DidNotStart(Exception):
    """The engine did not answer in time; the message has what it said."""


def missing(emulator: Path = EMULATOR) -> str | None:
    """What would have to be installed before the engine can start; None when all is there."""
    if shutil.which("java") is None:
        return "a Java runtime (Debian: default-jre-headless)"
    if not (emulator / "DynamoDBLocal.jar").exists():
        return "the npm package amplify-dynamodb-simulator (npm ci)"
    return None


class DynamoDBLocal:
    """The engine, started. Use it as a context manager, or `close` it. Safe for threads.

    Each instance sees tables of its own, also where several share one process (`share`).
    """

    _instances = count(1)

    def __init__(self, emulator: Path = EMULATOR, *, shards: int = 1) -> None:
        lacking = missing(emulator)
        if lacking is not None:
            raise NotInstalled(f"DynamoDB Local needs {lacking}.")
        java = shutil.which("java")
        assert java is not None, "missing() has looked"
        self._shards = shards
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [
                java,
                "-Xmx512m",
                f"-Djava.library.path={emulator / 'DynamoDBLocal_lib'}",
                "-jar",
                str(emulator / "DynamoDBLocal.jar"),
                "-inMemory",
                "-port",
                str(self._port),
            ],
            cwd=emulator,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._open()
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._key = f"local{os.getpid()}x{next(self._instances)}"
        self._pool = HTTPConnectionPool(
            "127.0.0.1", self._port, maxsize=MAX_CONNECTIONS, timeout=CALL_SECONDS, retries=False
        )

    @property
    def url(self) -> str:
        """Where other processes reach it; with `access_key` they see this instance's tables."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def access_key(self) -> str:
        return self._key

    def share(self) -> "DynamoDBLocal":
        """Another engine in the same process, with tables of its own. Closing it leaves the
        process to whoever started it."""
        other = object.__new__(DynamoDBLocal)
        other._shards = self._shards
        other._port = self._port
        other._process = None
        other._open()
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer one request of the DynamoDB API, given as its JSON."""
        response = self._pool.request(
            "POST",
            "/",
            body=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"DynamoDB_20120810.{operation}",
                "X-Amz-Date": "20260101T000000Z",
                "Authorization": (
                    f"AWS4-HMAC-SHA256 Credential={self._key}/20260101/{REGION}/dynamodb/"
                    "aws4_request, SignedHeaders=host, Signature=0"
                ),
            },
        )
        return Answer(response.status, response.data)

    def ask(self, operation: str, **arguments: Any) -> Any:
        """One request and its answer as Python values. Raises `RuntimeError` for a refusal."""
        answer = self.call(operation, json.dumps(arguments).encode())
        if answer.status != 200:
            raise RuntimeError(f"{operation}: {answer.body.decode(errors='replace')}")
        return json.loads(answer.body)

    def first_due(self, table_name: str, index_name: str = "due") -> str | None:
        """The smallest `due_at` in the index, over every shard."""
        found: list[str] = []
        for lane in Lane:
            for shard in range(self._shards):
                page = self.ask(
                    "Query",
                    TableName=table_name,
                    IndexName=index_name,
                    KeyConditionExpression="due_shard = :shard",
                    ExpressionAttributeValues={":shard": {"S": f"{lane.value}#{shard}"}},
                    Limit=1,
                )
                found += [item["due_at"]["S"] for item in page["Items"]]
        return min(found, default=None)

    def reset(self) -> None:
        """Forget every table."""
        for name in self.ask("ListTables")["TableNames"]:
            self.ask("DeleteTable", TableName=name)

    def close(self) -> None:
        """Let go of the connections and end the process that this instance started."""
        self._pool.close()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def _wait(self) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DidNotStart(f"DynamoDB Local ended with {process.returncode}.")
            try:
                self.ask("ListTables")
            except (HTTPError, RuntimeError):
                time.sleep(POLL_SECONDS)
            else:
                return
        raise DidNotStart(f"DynamoDB Local did not answer within {START_SECONDS} seconds.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
