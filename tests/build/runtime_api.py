"""Lambda and AWS as a started function sees them, on loopback: the Runtime API, and AWS calls."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from infra.local.aws import Service

ANSWER_SECONDS = 60
STOP_SECONDS = 5
INVOCATION = "/2018-06-01/runtime/invocation"
INIT_ERROR = "/2018-06-01/runtime/init/error"
DEADLINE_MS = 4_102_444_800_000
"""2100-01-01: the function's own deadline is not what is looked at."""

SERVICE_OF_TARGET = {
    "DynamoDB_20120810": "dynamodb",
    "AWSEvents": "eventbridge",
    "AmazonSSM": "ssm",
}
SEND_EMAIL_PATH = "/v2/email/outbound-emails"

START = """
import json, sys
app, runtime, handler, seen = sys.argv[1:]
sys.path[:0] = [app, runtime]
with open(seen, "w") as file:
    json.dump(sys.path, file)
from awslambdaric.__main__ import main
main(["awslambdaric", handler])
"""
"""How Lambda starts a function, except that its own packages are left out: nothing but the
artefact, the runtime interface client and Python itself can be imported."""


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def aws_over_http(services: Mapping[str, Service]) -> Iterator[str]:
    """Serve `services` as AWS does, for other processes; the address of the endpoint."""
    one_at_a_time = Lock()

    class Endpoint(_Quiet):
        def do_POST(self) -> None:
            target, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
            if self.path == SEND_EMAIL_PATH:
                name, operation = "sesv2", "SendEmail"
            else:
                name = SERVICE_OF_TARGET[target]
            body = self.read()
            with one_at_a_time:
                answer = services[name](operation, body)
            self.reply(answer.status, answer.body, answer.headers)

    with _serving(Endpoint) as address:
        yield f"http://{address}"


@dataclass
class Outcome:
    """What a function answered (`response`) or how it failed (`error`), and what it could import
    from (`import_path`)."""

    response: Any = None
    error: Any = None
    import_path: list[str] = field(default_factory=list)
    said: str = ""


def invoke(
    interpreter: Path,
    *,
    app: Path,
    runtime: Path,
    handler: str,
    environment: Mapping[str, str],
    event: Mapping[str, Any],
    scratch: Path,
) -> Outcome:
    """Start `handler` under the runtime interface client, give it one event, end the process."""
    outcome = Outcome()
    handed_out, answered, over = Lock(), Event(), Event()

    class RuntimeApi(_Quiet):
        def do_GET(self) -> None:
            if not handed_out.acquire(blocking=False):
                over.wait(ANSWER_SECONDS)
                self.close_connection = True
                return
            self.reply(
                200,
                json.dumps(event).encode(),
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": "first",
                    "Lambda-Runtime-Deadline-Ms": str(DEADLINE_MS),
                    "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:local:0:{handler}",
                },
            )

        def do_POST(self) -> None:
            body = json.loads(self.read() or b"null")
            if self.path == f"{INVOCATION}/first/response":
                outcome.response = body
            else:
                outcome.error = body or self.path
            self.reply(202, b"{}", {"Content-Type": "application/json"})
            answered.set()

    seen, said = scratch / "import_path.json", scratch / "said.txt"
    with _serving(RuntimeApi) as address, said.open("wb") as output:
        process = subprocess.Popen(
            [interpreter, "-I", "-S", "-B", "-c", START, app, runtime, handler, seen],
            cwd=scratch,
            env={
                **environment,
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_FUNCTION_NAME": handler,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{handler}",
                "AWS_LAMBDA_LOG_STREAM_NAME": "test",
                "LAMBDA_TASK_ROOT": str(app),
                "TZ": ":UTC",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        ended = Thread(target=_tell_when_ended, args=(process, answered))
        ended.start()
        answered.wait(ANSWER_SECONDS)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        ended.join()
        over.set()
    outcome.said = said.read_text(errors="replace")
    if seen.exists():
        outcome.import_path = json.loads(seen.read_text())
    return outcome


def _tell_when_ended(process: "subprocess.Popen[bytes]", answered: Event) -> None:
    """A process that ends by itself will not answer any more."""
    process.wait()
    answered.set()


def standard_library(interpreter: Path) -> list[str]:
    """Where Python's own modules are, for that interpreter."""
    answer = subprocess.run(
        [interpreter, "-I", "-S", "-c", "import sys; print('\\n'.join(sys.path))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.splitlines()


def running_version() -> str:
    """The version of the interpreter that runs the tests, as "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
