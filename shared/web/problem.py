"""What is said of an error, to programs and people: loaded where there is one ([ERRORS])."""

from http import HTTPStatus
from typing import Any

from pydantic_core import to_jsonable_python

from shared.domain.errors import Invalid, PunchcardError, TooMany
from shared.domain.record import Record
from shared.web.errors import STATUS


class Problem(Record):
    """RFC 9457. `code` is stable; `fields` (of a 422) has a plain sentence for each wrong field;
    `facts` is what else the error carries, such as what changed in a cart."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, str] = {}
    facts: dict[str, Any] = {}
    retry_after_seconds: int | None = None


class ErrorPage(Problem):
    """The same for people, with a way `back` where there is one."""

    back: str = ""


def problem_of(error: PunchcardError) -> Problem:
    """What a program is told."""
    status = next(
        (status for kind, status in STATUS.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return Problem(
        title=status.phrase,
        status=status.value,
        detail=error.detail,
        code=error.code,
        fields=dict(error.fields) if isinstance(error, Invalid) else {},
        retry_after_seconds=error.retry_after_seconds if isinstance(error, TooMany) else None,
        facts=to_jsonable_python(dict(error.facts), fallback=str),
    )
