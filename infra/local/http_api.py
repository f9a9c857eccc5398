"""API Gateway's HTTP API on one machine: requests to events of payload 2.0, and answers back.

It holds to what the real one does to a request: header names in lower case, repeated headers and
query parameters joined by commas, cookies apart, bodies that are not text in base64 (forms too),
path segments that are a literal or one `{name}`, literals first.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from infra.local.template import ACCOUNT_ID, Function, Route

MAX_BODY_BYTES = 10 * 1024 * 1024
"""What the real one takes in; beyond it the answer is 413."""

API_ID = "local"
TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Response:
    """What goes back to the client."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def cookies(self) -> list[str]:
        """Every `Set-Cookie`, as it was sent."""
        return [value for key, value in self.headers if key.lower() == "set-cookie"]


def json_response(status: int, content: Any, content_type: str = "application/json") -> Response:
    body = json.dumps(content, indent=1).encode()
    return Response(status, [("content-type", content_type)], body)


@dataclass(frozen=True)
class Request:
    """One HTTP request. `target` is the path with the query, as it stands on the wire."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0]) or "/"

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        return ",".join(value for key, value in self.headers if key.lower() == name.lower())


@dataclass(frozen=True)
class Match:
    """The route that owns a path, and the values of its `{name}` segments."""

    route: Route
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def function(self) -> Function:
        return self.route.function


DEFAULT_ROUTE = "$default"


class Routes:
    """Finds who owns a method and a path. The more literal path wins, then the named method."""

    def __init__(self, routes: Iterable[Route], elsewhere: Function | None = None) -> None:
        """`elsewhere` is the function of the `$default` route: it gets what nobody owns."""
        self._elsewhere = elsewhere
        self._routes: list[tuple[list[str], Route]] = []
        seen: set[tuple[str, str]] = set()
        for route in routes:
            shape = (route.method, "/".join("{}" if _name(s) else s for s in route.path.split("/")))
            if shape in seen:
                raise ValueError(f"{route.method} {route.path} is routed twice")
            seen.add(shape)
            self._routes.append((route.path.split("/"), route))

    def find(self, method: str, path: str) -> Match | None:
        segments = path.split("/")
        best: tuple[tuple[list[bool], bool], Match] | None = None
        for pattern, route in self._routes:
            if route.method not in ("ANY", method) or len(pattern) != len(segments):
                continue
            pairs = list(zip(pattern, segments, strict=True))
            if any(literal != seen for literal, seen in pairs if not _name(literal)):
                continue
            if any(seen == "" for literal, seen in pairs if _name(literal)):
                continue
            rank = ([_name(literal) is not None for literal in pattern], route.method == "ANY")
            if best is None or rank < best[0]:
                values = {name: seen for literal, seen in pairs if (name := _name(literal))}
                best = rank, Match(route, values)
        if best is not None:
            return best[1]
        if self._elsewhere is None:
            return None
        return Match(Route("ANY", DEFAULT_ROUTE, self._elsewhere))


def _name(segment: str) -> str | None:
    return segment[1:-1] if segment.startswith("{") else None


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith("+json") or kind in TEXT_TYPES


def event_of(request: Request, match: Match, now: datetime, request_id: str) -> dict[str, Any]:
    """The event that the function gets."""
    headers = [(name.lower(), value) for name, value in request.headers]
    cookies = [
        cookie.strip()
        for name, value in headers
        if name == "cookie"
        for cookie in value.split(";")
        if cookie.strip()
    ]
    is_default = match.route.path == DEFAULT_ROUTE
    route_key = DEFAULT_ROUTE if is_default else f"{match.route.method} {match.route.path}"
    host = request.header("host") or "127.0.0.1"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _joined((name, value) for name, value in headers if name != "cookie"),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if request.query:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        event["queryStringParameters"] = _joined(pairs)
    if match.parameters:
        event["pathParameters"] = dict(match.parameters)
    if request.body:
        text = _as_text(request)
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    return event


def _as_text(request: Request) -> str | None:
    if not _is_text(request.header("content-type")):
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


class BadAnswer(Exception):
    """The function answered what API Gateway would not take."""


def response_of(answer: Any) -> Response:
    """The function's answer as HTTP. An answer without `statusCode` is itself the JSON body."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return json_response(200, answer)
    status = answer["statusCode"]
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise BadAnswer(f"statusCode is {status!r}")
    headers: list[tuple[str, str]] = []
    for name, value in (answer.get("headers") or {}).items():
        if not isinstance(value, str | int | bool) or "\n" in str(value):
            raise BadAnswer(f"the header {name} is {value!r}")
        headers.append((str(name), str(value)))
    headers += [("set-cookie", str(cookie)) for cookie in answer.get("cookies") or []]
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise BadAnswer(f"the body is a {type(body).__name__}, not text")
    if not answer.get("isBase64Encoded"):
        return Response(status, headers, body.encode())
    try:
        return Response(status, headers, base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise BadAnswer("the body is not base64") from error


NOT_FOUND = json_response(404, {"message": "Not Found"})
TOO_LARGE = json_response(413, {"message": "Request Entity Too Large"})
INTERNAL_ERROR = json_response(500, {"message": "Internal Server Error"})
