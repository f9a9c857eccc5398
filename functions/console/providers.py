"""The payment providers: how they stand, and where new cards go ([MANY], [ACCESS])."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from functions.console.lists import signed_in_at_all
from functions.console.pages.provider_models import (
    ProviderChange,
    ProviderRow,
    ProvidersPage,
    Wrong,
    WrongView,
)
from shared.domain.errors import PunchcardError, Unavailable
from shared.domain.product import Catalogue
from shared.log import logger
from shared.operations import providers
from shared.operations.context import Context
from shared.operations.providers import Standing, Trouble, check, standings
from shared.operations.staff import may_change, require_change
from shared.operations.visit import Row
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import SetupProblem
from shared.store.catalogue import SNAPSHOT
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.request import Request, Who

PATH = "/console/providers"
PAGE = "console_providers"

TITLES: Mapping[str, str] = {
    "cardpointe": "CardPointe",
    "sandbox": "Sandbox",
    "stripe": "Stripe",
}

TROUBLES: Mapping[Trouble, tuple[Wrong, str]] = {
    Trouble.NOT_SET_UP: (
        Wrong.NOT_SET_UP,
        "New cards are to go here, but it is not set up. Nobody can add a card.",
    ),
    Trouble.SETTINGS_INCOMPLETE: (
        Wrong.SETTINGS_INCOMPLETE,
        "Its settings are not complete. No card of it can be charged.",
    ),
    Trouble.NO_ANSWER: (
        Wrong.NO_ANSWER,
        "It does not answer just now. Try again in some minutes.",
    ),
}

PROBLEMS: Mapping[SetupProblem, tuple[Wrong, str]] = {
    SetupProblem.KEY_REFUSED: (
        Wrong.KEY_REFUSED,
        "It refuses our key. Put a valid one into its settings.",
    ),
    SetupProblem.WRONG_MODE: (
        Wrong.WRONG_MODE,
        "The key is for the other mode, live or test. Cards of one don't work in the other.",
    ),
    SetupProblem.ACCOUNT_CANT_CHARGE: (
        Wrong.ACCOUNT_CANT_CHARGE,
        "The account there can't take payments yet. Finish setting it up at the provider.",
    ),
    SetupProblem.CURRENCY_NOT_TAKEN: (
        Wrong.CURRENCY_NOT_TAKEN,
        "It does not take a currency that one of your locations sells in.",
    ),
}


class Preferred(Input):
    """`version` is that of the page on which the provider was chosen."""

    provider: Annotated[str, Field(min_length=1, max_length=50)]
    version: Annotated[int, Field(ge=1)]


def mount_providers(app: App) -> None:
    """Adds the payment providers to the console's app."""
    app.get(
        PATH,
        page=PAGE,
        answer=ProvidersPage,
        who=Who.STAFF,
        summary="The payment providers that are set up, and where new cards go.",
    )(show)
    app.post(
        f"{PATH}/check",
        page=PAGE,
        answer=ProvidersPage,
        who=Who.STAFF,
        on_error=_again,
        summary="Ask each provider how the merchant's account stands there.",
    )(ask)
    app.post(
        f"{PATH}/preferred",
        page=PAGE,
        answer=ProvidersPage,
        body=Preferred,
        who=Who.STAFF,
        on_error=_again,
        summary="Choose where new cards go; cards on file are charged where they were saved.",
    )(choose)


def show(request: Request) -> Answer:
    signed_in_at_all(request)
    row = _catalogue(request)
    context = _context(request, row)
    return Answer(_page(request, row, standings(context, _names(request) or ())))


def ask(request: Request) -> Answer:
    row = _catalogue(request)
    found = check(_context(request, row), _names(request) or ())
    for one in found:
        troubles = [one.trouble.value] if one.trouble else [kind.value for kind, _ in one.problems]
        logger.info("provider checked", extra={"provider": one.name, "wrong": troubles})
    return Answer(_page(request, row, found, checked=True))


def choose(request: Request) -> Answer:
    body: Preferred = request.body
    row = _catalogue(request)
    names = _names(request)
    if names is None:
        raise Unavailable("The settings of the providers can't be read just now.")
    providers.choose(
        _context(request, row),
        request.staff,
        row,
        body.provider,
        version=body.version,
        names=names,
    )
    logger.info("provider preferred", extra={"provider": body.provider})
    after = _catalogue(request)
    page = _page(request, after, standings(_context(request, after), names))
    return Answer(page, location=PATH, done="provider_preferred")


def _again(request: Request, error: PunchcardError) -> Answer | None:
    """The page as it stands now, with what went wrong; none for who may not see it."""
    if error.code == "cross_site" or not may_change(request.staff):
        return None
    return show(request)


# --- what is read ----------------------------------------------------------------------------


def _catalogue(request: Request) -> Row[Catalogue]:
    """The catalogue as it is stored now, for whom the providers concern."""
    row = request.load(SNAPSHOT).get(SNAPSHOT)
    require_change(request.staff)
    if row is None:
        raise Unavailable("The shop is not set up yet.", code="not_set_up")
    return row


def _context(request: Request, row: Row[Catalogue]) -> Context:
    context: Context = request.wiring.context(row.value)
    return context


def _names(request: Request) -> Sequence[str] | None:
    """The providers that are set up; None when nobody can say now."""
    try:
        names: Sequence[str] = request.wiring.provider_names()
    except ProviderUnavailable:
        return None
    return names


# --- what is shown ---------------------------------------------------------------------------


def _page(
    request: Request,
    row: Row[Catalogue],
    found: Sequence[Standing],
    *,
    checked: bool = False,
) -> ProvidersPage:
    catalogue = row.value
    return ProvidersPage(
        providers=tuple(_row(one) for one in found),
        preferred=_context(request, row).preferred_provider,
        chosen=bool(catalogue.settings.preferred_provider),
        readable=_names(request) is not None,
        version=row.version,
        may_change=providers.may_choose(request.staff),
        changes=tuple(
            ProviderChange(at=one.at, by=one.by, before=one.before, after=one.after)
            for one in providers.last_changes()
        ),
        checked_at=request.now if checked else None,
        zone=catalogue.locations[0].zone,
    )


def _row(one: Standing) -> ProviderRow:
    report = one.report
    return ProviderRow(
        name=one.name,
        title=TITLES.get(one.name, one.name.capitalize()),
        set_up=one.trouble is not Trouble.NOT_SET_UP,
        preferred=one.preferred,
        checked=report is not None,
        live=report.live if report else None,
        account=report.account if report else "",
        wrong=tuple(_wrong(one)),
    )


def _wrong(one: Standing) -> list[WrongView]:
    if one.trouble is not None:
        kind, sentence = TROUBLES[one.trouble]
        return [WrongView(kind=kind, sentence=sentence, detail=one.setting)]
    return [
        WrongView(kind=PROBLEMS[problem][0], sentence=PROBLEMS[problem][1], detail=detail)
        for problem, detail in one.problems
    ]
