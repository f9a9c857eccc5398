"""A filter of a list, for people and programs."""

from shared.web.answer import View


class Choice(View):
    """A filter's value and how many there are of it; `value` "" is all. No `count`: the list goes
    on beyond what was read."""

    value: str
    count: int | None = None
    selected: bool = False
