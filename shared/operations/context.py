"""What an operation reaches: the clock, ids, providers and the catalogue it decides by."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from shared.domain.business import Business
    from shared.domain.product import Catalogue
    from shared.providers.port import PaymentProvider


class Context(NamedTuple):
    """Built by `wiring` for one request or event. `provider` raises `NoSuchProvider` for a
    name that this deployment does not have; `preferred_provider` is empty while none is set up."""

    now: "Callable[[], datetime]"
    new_id: Callable[[], str]
    provider: "Callable[[str], PaymentProvider]"
    preferred_provider: str
    business: "Business"
    whole: "Callable[[], Catalogue]"
    public_url: str

    @property
    def catalogue(self) -> "Catalogue":
        """The business with all its products: read now, where only the business was."""
        return self.whole()
