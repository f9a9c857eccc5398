"""Ids as they come in addresses and forms, before anything is looked up by them."""

import re
from typing import Annotated

from pydantic import StringConstraints

from shared.domain.errors import Missing
from shared.web.request import Request

MAX_ID = 100
_ID = re.compile(rf"[0-9A-Za-z._-]{{1,{MAX_ID}}}")

Id = Annotated[str, StringConstraints(pattern=rf"^{_ID.pattern}$")]
"""An id in a form or a JSON body."""


def path_id(request: Request, name: str) -> str:
    """The part of the path called `name`. `Missing` for what can't be an id of ours."""
    text = request.params[name]
    if _ID.fullmatch(text) is None:
        raise Missing("There is nothing at this address.")
    return text
