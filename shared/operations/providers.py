"""What staff see of the payment providers, and which one new cards go to ([MANY], [ACCESS]).

Owners and managers may look and have the providers asked; an owner of all locations may choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.errors import Conflict, Forbidden, Invalid
from shared.operations.staff import written_down
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.store import catalogue as catalogues
from shared.store.items import Lost, Row
from shared.store.staff import Role, StaffMember

if TYPE_CHECKING:
    from shared.domain.product import Catalogue
    from shared.operations.context import Context
    from shared.providers.port import SetupProblem, SetupReport
    from shared.store.timeline import TimelineEvent

CHANGES_SHOWN = 10
PREFERRED = "providers:preferred"
"""What the record of a change is called."""


class Trouble(StrEnum):
    """Why a provider can't be used, beside what it says itself (`SetupProblem`)."""

    NOT_SET_UP = "not_set_up"
    """New cards are to go there, and this deployment has no such provider."""
    SETTINGS_INCOMPLETE = "settings_incomplete"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class Standing:
    """How one provider stands here. `report` is what it said, when it was asked and answered;
    `setting` what its settings lack, in words that tell none of them."""

    name: str
    preferred: bool
    trouble: Trouble | None = None
    setting: str = ""
    report: SetupReport | None = None

    @property
    def problems(self) -> tuple[tuple[SetupProblem, str], ...]:
        return self.report.problems if self.report else ()


def may_choose(staff: StaffMember) -> bool:
    """New cards of every location go where this says."""
    return staff.role is Role.OWNER and staff.locations is None


def standings(context: Context, names: Sequence[str]) -> tuple[Standing, ...]:
    """Every provider of `names`, and the one that new cards go to. No provider is called."""
    preferred = context.preferred_provider
    missing = [preferred] if preferred and preferred not in names else []
    found = [_standing(context, name) for name in names]
    found += [Standing(one, True, Trouble.NOT_SET_UP) for one in missing]
    return tuple(found)


def _standing(context: Context, name: str) -> Standing:
    standing = Standing(name, name == context.preferred_provider)
    try:
        context.provider(name)
    except NoSuchProvider as incomplete:
        setting = str(incomplete).partition(": ")[2]
        return replace(standing, trouble=Trouble.SETTINGS_INCOMPLETE, setting=setting)
    return standing


def check(context: Context, names: Sequence[str]) -> tuple[Standing, ...]:
    """The same, with what each says of the merchant's account there and of the currencies of all
    locations. They are asked at the same time: one that is silent keeps nobody waiting twice."""
    currencies = tuple(dict.fromkeys(one.currency for one in context.business.locations))
    found = standings(context, names)
    if not found:
        return ()
    with ThreadPoolExecutor(max_workers=len(found)) as pool:
        asked = [pool.submit(copy_context().run, _asked, context, one, currencies) for one in found]
        return tuple(one.result() for one in asked)


def _asked(context: Context, standing: Standing, currencies: tuple[str, ...]) -> Standing:
    if standing.trouble is not None:
        return standing
    try:
        report = context.provider(standing.name).check_setup(currencies)
    except (ProviderUnavailable, RequestRefused):
        return replace(standing, trouble=Trouble.NO_ANSWER)
    return replace(standing, report=report)


def last_changes() -> tuple[TimelineEvent, ...]:
    """Who chose what, newest first."""
    changes = catalogues.last_changes(CHANGES_SHOWN)
    return tuple(one for one in changes if one.what == PREFERRED)


def choose(
    context: Context,
    staff: StaffMember,
    row: Row[Catalogue],
    name: str,
    *,
    version: int,
    names: Sequence[str],
) -> None:
    """New cards go to the provider called `name` from now on; cards on file stay where they are.

    `version` is that of the catalogue as the person saw it: `Conflict` when it has changed since.
    Choosing what is chosen changes nothing. Raises `Invalid` for one that is not among `names`,
    those that are set up, or whose settings are not complete; `Forbidden` for who may not."""
    if not may_choose(staff):
        raise Forbidden("Only an owner of all locations may do this.", code="role_not_allowed")
    if name not in names or _standing(context, name).trouble is not None:
        sentence = "Choose a payment provider that is set up."
        raise Invalid(sentence, fields={"provider": sentence})
    settings = row.value.settings
    if settings.preferred_provider == name:
        return
    if row.version != version:
        raise _changed_meanwhile()
    chosen = settings.model_copy(update={"preferred_provider": name})
    event = written_down(context, staff, PREFERRED, before=settings.preferred_provider, after=name)
    try:
        catalogues.change(row, row.value.model_copy(update={"settings": chosen}), event)
    except Lost as lost:
        raise _changed_meanwhile() from lost


def _changed_meanwhile() -> Conflict:
    return Conflict(
        "The settings were changed at the same moment. Look at them again before you choose.",
        code="catalogue_changed",
    )
