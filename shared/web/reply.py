"""What goes back to API Gateway, in the form of its HTTP APIs' payload 2.0."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.web.answer import Cookie


@dataclass
class Reply:
    """An answer over HTTP. With `compress` it goes compressed to whoever takes that."""

    status_code: int
    content_type: str
    body: str | bytes
    headers: dict[str, str]
    cookies: Sequence[Cookie] = ()
    compress: bool = False

    def as_event(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """The function's answer. `asked` are the request's headers, by their names in lower
        case."""
        headers = {**self.headers, "Content-Type": self.content_type}
        body = self.body
        if self.compress and "gzip" in asked.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body.encode() if isinstance(body, str) else body, mtime=0)
        is_binary = isinstance(body, bytes)
        return {
            "statusCode": self.status_code,
            "headers": headers,
            "cookies": [str(cookie) for cookie in self.cookies],
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": is_binary,
        }
