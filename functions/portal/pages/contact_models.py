"""How to reach the merchant."""

from shared.web.answer import View


class PlaceView(View):
    id: str
    name: str
    address: str = ""
    phone: str = ""


class ContactPage(View):
    """`GET /contact`."""

    merchant: str
    support_email: str
    support_phone: str = ""
    address: str = ""
    locations: tuple[PlaceView, ...] = ()
    social: tuple[str, ...] = ()
    """Full https:// addresses."""
