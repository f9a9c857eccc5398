"""The sandbox's hosted pages: save a card, confirm a payment. They work without script.

Whoever has the address may use the page: it carries 128 random bits, and no referrer leaks it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from babel.numbers import format_currency, get_currency_precision
from jinja2 import DictLoader, Environment, StrictUndefined

from infra.local.hosted_markup import STYLE
from infra.local.hosted_page import Answer, back, page_headers, stylesheet
from infra.local.sandbox_books import Books, Charge, ChargeState, Setup, SetupState
from infra.local.sandbox_cards import (
    DECLINE_SENTENCES,
    KNOWN_CARDS,
    MAX_FIELD_CHARACTERS,
    read_card,
)
from infra.local.sandbox_markup import TEMPLATES

FIELDS = {"number": "Card number", "expiry": "Expiry date", "cvc": "Security code"}

PAYMENTS_SHOWN = 50

_templates = Environment(
    loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class Pages:
    """Answers under `mount`, the path at which browsers reach the sandbox."""

    def __init__(self, books: Books, now: Callable[[], datetime], mount: str) -> None:
        self._books = books
        self._now = now
        self._mount = mount

    def style(self) -> Answer:
        return stylesheet(STYLE)

    def show_setup(self, setup: Setup) -> Answer:
        if setup.state is not SetupState.OPEN:
            return self._closed_setup(setup)
        return self._card_page(200, setup, {}, {})

    def save_card(self, setup: Setup, form: Mapping[str, str]) -> Answer:
        """A second press after success goes back like the first, and saves nothing more."""
        if setup.state is SetupState.COMPLETE:
            return back(_setup_return(setup))
        if setup.state is not SetupState.OPEN:
            return self._closed_setup(setup)
        entered = {name: form.get(name, "")[:MAX_FIELD_CHARACTERS] for name in FIELDS}
        read = read_card(entered, self._now().date())
        if isinstance(read, dict):
            return self._card_page(422, setup, entered, read)
        self._books.complete_setup(setup, read)
        if setup.failure is not None:
            sentence = DECLINE_SENTENCES[setup.failure]
            return self._card_page(402, setup, entered, {"number": sentence})
        return back(_setup_return(setup))

    def cancel_setup(self, setup: Setup) -> Answer:
        self._books.cancel_setup(setup)
        return back(_setup_return(setup))

    def show_charge(self, charge: Charge) -> Answer:
        waits = charge.state is ChargeState.REQUIRES_ACTION
        return self._page(
            200 if waits else 410,
            "confirm" if waits else "closed",
            charge.return_url,
            title="Confirm your payment" if waits else "Nothing left to confirm",
            sentence=_CHARGE_SENTENCES[charge.state],
            action=f"{self._mount}/confirm/{charge.id}",
            amount=_amount(charge.amount, charge.currency),
            description=charge.description,
            back=charge.return_url,
        )

    def answer_charge(self, charge: Charge, form: Mapping[str, str]) -> Answer:
        answer = form.get("answer")
        if charge.state is ChargeState.REQUIRES_ACTION:
            if answer not in ("confirm", "decline"):
                return self.show_charge(charge)
            self._books.answer_authentication(charge, confirmed=answer == "confirm")
        elif charge.state is ChargeState.CANCELLED:
            return self.show_charge(charge)
        return back(charge.return_url)

    def show_payments(self) -> Answer:
        """What was taken, with what a bank may do about it: for people on this machine, who could
        not dispute a payment otherwise."""
        taken = [one for one in self._books.charges() if one.state is ChargeState.SUCCEEDED]
        shown = [_payment(one) for one in taken[: -PAYMENTS_SHOWN - 1 : -1]]
        return self._page(200, "payments", None, title="Payments", payments=shown)

    def answer_payment(self, charge: Charge, form: Mapping[str, str]) -> Answer:
        """A second press of the same button changes nothing."""
        match form.get("answer"):
            case "reverse" if charge.kept and not charge.reversed:
                self._books.reverse(charge.id)
            case "reinstate" if charge.reversed:
                self._books.reinstate(charge.id)
            case _:
                pass
        return back(f"{self._mount}/payments")

    def problem(self, status: int, sentence: str) -> Answer:
        return self._page(
            status, "closed", None, title="This page does not work", sentence=sentence, back=None
        )

    def _card_page(
        self, status: int, setup: Setup, entered: Mapping[str, str], errors: Mapping[str, str]
    ) -> Answer:
        return self._page(
            status,
            "card",
            setup.return_url,
            title="Error: save a card" if errors else "Save a card",
            action=f"{self._mount}/card-setups/{setup.id}",
            labels=FIELDS,
            number=entered.get("number", ""),
            expiry=entered.get("expiry", ""),
            errors=errors,
            cards=list(KNOWN_CARDS.values()),
        )

    def _closed_setup(self, setup: Setup) -> Answer:
        return self._page(
            410,
            "closed",
            setup.return_url,
            title="This page is closed",
            sentence=_SETUP_SENTENCES[setup.state],
            back=_setup_return(setup),
        )

    def _page(self, status: int, template: str, return_url: str | None, **facts: Any) -> Answer:
        html = _templates.get_template(template).render(mount=self._mount, **facts)
        return status, page_headers(return_url), html.encode()


_SETUP_SENTENCES = {
    SetupState.OPEN: "",
    SetupState.COMPLETE: "The card was saved. This page worked once and is not needed any more.",
    SetupState.CANCELLED: "Saving the card was cancelled. Nothing was saved.",
    SetupState.EXPIRED: "This page worked for one hour. Nothing was saved; please start again.",
}

_CHARGE_SENTENCES = {
    ChargeState.REQUIRES_ACTION: "",
    ChargeState.PROCESSING: "The payment is under way.",
    ChargeState.SUCCEEDED: "The payment went through. There is nothing more to do.",
    ChargeState.FAILED: "The payment was not made.",
    ChargeState.CANCELLED: "The payment was cancelled. No money moved.",
}


def _payment(charge: Charge) -> dict[str, str | bool]:
    kept = "reverse" if charge.kept else ""
    return {
        "id": charge.id,
        "amount": _amount(charge.amount, charge.currency),
        "description": charge.description,
        "at": f"{charge.created_at:%Y-%m-%d %H:%M} UTC",
        "taken": charge.reversed > 0,
        "refunded": charge.refunded > 0,
        "answer": "reinstate" if charge.reversed else kept,
    }


def _amount(minor: int, currency: str) -> str:
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(exact, currency, locale="en_US")


def _setup_return(setup: Setup) -> str:
    """The return address with `setup={id}` in its query."""
    parts = urlsplit(setup.return_url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "setup"]
    return parts._replace(query=urlencode([*query, ("setup", setup.id)])).geturl()
