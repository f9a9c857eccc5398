"""A stand-in for SES: keeps what it accepts, or answers as it is told."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from botocore.exceptions import ClientError


class StandInSes:
    """`answers` are given one by one, None accepts; after them everything is accepted."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.accepted: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.asked: list[dict[str, Any]] = []

    def send_email(self, **asked: Any) -> dict[str, str]:
        self.asked.append(asked)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        raw = asked["Content"]["Raw"]["Data"]
        self.raw.append(raw)
        self.accepted.append(message_from_bytes(raw, policy=default))
        return {"MessageId": f"ses-{len(self.accepted)}"}


def refusal(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "HostId": "",
                "RequestId": "",
                "RetryAttempts": 0,
            },
        },
        "SendEmail",
    )
