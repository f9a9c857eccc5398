"""The payment provider as pages need it: whether there is one, and where its own pages are."""

from urllib.parse import urlsplit

from shared.operations.context import Context
from shared.providers.errors import ProviderUnavailable
from shared.web.request import Request


def context(request: Request) -> Context:
    """What an operation reaches, deciding by the catalogue that this request has read."""
    made: Context = request.wiring.context(request.business)
    return made


def is_ready(request: Request) -> bool:
    """Whether a payment provider is set up ([VISIBLE])."""
    return bool(request.wiring.preferred_provider(request.business))


def set_up(request: Request) -> tuple[str, ...] | None:
    """The providers whose cards can be charged ([MANY]); None when nobody can say now."""
    try:
        names: tuple[str, ...] = request.wiring.provider_names()
    except ProviderUnavailable:
        return None
    return names


def origins(request: Request) -> tuple[str, ...]:
    """Where a form that adds a card or pays may lead; browsers hold redirects to that list."""
    name = request.wiring.preferred_provider(request.business)
    if not name:
        return ()
    try:
        found: tuple[str, ...] = request.wiring.hosted_origins(name)
    except ProviderUnavailable:
        return ()
    return found


def is_hosted(request: Request, url: str | None) -> bool:
    """Whether `url` is on the provider's own pages, so that a form may lead there at once. A
    bank's page may be anywhere: it is reached by a link."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" in (*origins(request), request.public_url)
