"""The Stripe stand-in's hosted pages: saving a card or an account, and the bank's authentication.

docs.stripe.com/payments/checkout (the customer is sent to `url` and comes back to `success_url`)
and docs.stripe.com/payments/3d-secure/authentication-flow (back to `return_url`, with
`payment_intent`, `payment_intent_client_secret` and `redirect_status` in the query).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from babel.numbers import format_currency, get_currency_precision
from jinja2 import DictLoader, Environment, StrictUndefined

from infra.local.hosted_markup import STYLE
from infra.local.hosted_page import Answer, back, page_headers, stylesheet
from infra.local.stripe_books import Object
from infra.local.stripe_cards import KNOWN_METHODS, Entered, find, read_expiry
from infra.local.stripe_checkout import Checkout, success_url
from infra.local.stripe_markup import TEMPLATES
from infra.local.stripe_payments import Payments

MAX_FIELD_CHARACTERS = 60
LABELS = {"number": "Card or account number", "expiry": "Expiry date", "cvc": "Security code"}

_templates = Environment(
    loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class Pages:
    """Answers under `mount`, the path at which browsers reach the stand-in."""

    def __init__(
        self, checkout: Checkout, payments: Payments, now: Callable[[], datetime], mount: str
    ) -> None:
        self._checkout = checkout
        self._payments = payments
        self._now = now
        self._mount = mount

    def answer(self, path: str, form: Mapping[str, str] | None) -> Answer:
        """The page at `path`; `form` is None for one that is only looked at. Raises
        `StripeRefusal` for a session or a payment that does not exist."""
        match path.strip("/").split("/"):
            case ["style.css"]:
                return stylesheet(STYLE)
            case ["c", "pay", session_id]:
                return self._card(self._checkout.session(session_id), form)
            case ["c", "authenticate", session_id]:
                return self._authenticate_card(self._checkout.session(session_id), form)
            case ["authenticate", intent_id]:
                return self._authenticate(self._payments.intent(intent_id), form)
            case _:
                return self.problem(404, "There is no such page.")

    # Saving

    def _card(self, session: Object, form: Mapping[str, str] | None) -> Answer:
        """A second press after success goes on like the first, and saves nothing more."""
        if session["status"] == "complete" and form is not None:
            return back(success_url(session))
        if session["status"] != "open":
            return self._closed(session)
        if self._checkout.setup_intent(session)["status"] == "requires_action":
            return back(f"{self._mount}/c/authenticate/{session['id']}")
        if form is None:
            return self._form(200, session, {}, {})
        entered = {name: form.get(name, "")[:MAX_FIELD_CHARACTERS] for name in LABELS}
        read = self._read(session, entered)
        if isinstance(read, dict):
            return self._form(422, session, entered, read)
        self._checkout.enter(session, read)
        return self._go_on(session, entered)

    def _go_on(self, session: Object, entered: Mapping[str, str]) -> Answer:
        intent = self._checkout.setup_intent(session)
        if intent["last_setup_error"] is not None:
            errors = {"number": intent["last_setup_error"]["message"]}
            return self._form(402, session, entered, errors)
        if intent["status"] == "requires_action":
            return back(f"{self._mount}/c/authenticate/{session['id']}")
        return back(success_url(session))

    def _read(self, session: Object, entered: Mapping[str, str]) -> Entered | dict[str, str]:
        """What was typed, or for each wrong field what is wrong."""
        try:
            known = find(entered["number"])
        except ValueError:
            return {"number": "Only the test numbers of the list below work here."}
        if known.type not in session["payment_method_types"]:
            return {"number": "This kind of account is not taken here."}
        if known.type != "card":
            return Entered(known)
        errors: dict[str, str] = {}
        today = self._now()
        expiry = read_expiry(entered["expiry"], today.year, today.month)
        if isinstance(expiry, str):
            errors["expiry"] = expiry
        if not re.fullmatch(r"[0-9]{3,4}", entered["cvc"].strip(), re.ASCII):
            errors["cvc"] = "The security code is the 3 digits on the back of the card."
        if errors or isinstance(expiry, str):
            return errors
        return Entered(known, *expiry)

    def _form(
        self,
        status: int,
        session: Object,
        entered: Mapping[str, str],
        errors: Mapping[str, str],
    ) -> Answer:
        types = session["payment_method_types"]
        cards = "card" in types
        return self._page(
            status,
            "card",
            (session["success_url"], session["cancel_url"]),
            title="Error: save a card" if errors else "Save a card",
            heading="Save a card" if cards else "Save an account",
            action=f"{self._mount}/c/pay/{session['id']}",
            labels=LABELS,
            number=entered.get("number", ""),
            expiry=entered.get("expiry", ""),
            errors=errors,
            cards=cards,
            cancel_url=session["cancel_url"],
            methods=[one for one in KNOWN_METHODS.values() if one.type in types],
        )

    def _closed(self, session: Object) -> Answer:
        sentence = "Nothing was saved; please start again."
        if session["status"] == "complete":
            sentence = "It was saved. This page worked once and is not needed any more."
        return self._page(
            410,
            "closed",
            (),
            title="This page is closed",
            sentence=sentence,
            back=session["cancel_url"] or success_url(session),
        )

    def _authenticate_card(self, session: Object, form: Mapping[str, str] | None) -> Answer:
        if session["status"] != "open":
            return self._card(session, form)
        if self._checkout.setup_intent(session)["status"] != "requires_action":
            return back(f"{self._mount}/c/pay/{session['id']}")
        answer = None if form is None else form.get("answer")
        if answer not in ("confirm", "decline"):
            return self._page(
                200,
                "authenticate",
                (session["success_url"],),
                title="Confirm your card",
                facts={"For": "saving it, nothing is charged now"},
                action=f"{self._mount}/c/authenticate/{session['id']}",
            )
        self._checkout.authenticate(session, confirmed=answer == "confirm")
        return self._go_on(session, {})

    # Authentication of a payment

    def _authenticate(self, intent: Object, form: Mapping[str, str] | None) -> Answer:
        return_url = self._payments.return_url(intent)
        answer = None if form is None else form.get("answer")
        if intent["status"] == "requires_action":
            if answer not in ("confirm", "decline"):
                return self._ask(intent, return_url)
            self._payments.answer(intent, confirmed=answer == "confirm")
        elif form is None or intent["status"] == "canceled":
            return self._page(
                410,
                "closed",
                (),
                title="Nothing left to confirm",
                sentence="This payment does not wait for you.",
                back=return_url,
            )
        if return_url is None:
            return self.problem(200, "You can close this page.")
        return back(_with_status(return_url, intent))

    def _ask(self, intent: Object, return_url: str | None) -> Answer:
        facts = {"Amount": _amount(intent["amount"], intent["currency"])}
        if intent["description"]:
            facts["For"] = intent["description"]
        return self._page(
            200,
            "authenticate",
            (return_url,),
            title="Confirm your payment",
            facts=facts,
            action=f"{self._mount}/authenticate/{intent['id']}",
        )

    def problem(self, status: int, sentence: str) -> Answer:
        return self._page(
            status, "closed", (), title="This page does not work", sentence=sentence, back=None
        )

    def _page(
        self, status: int, template: str, urls: tuple[str | None, ...], **facts: Any
    ) -> Answer:
        html = _templates.get_template(template).render(mount=self._mount, **facts)
        return status, page_headers(*urls), html.encode()


def _with_status(return_url: str, intent: Object) -> str:
    parts = urlsplit(return_url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    worked = intent["status"] in ("succeeded", "processing")
    query += [
        ("payment_intent", intent["id"]),
        ("payment_intent_client_secret", intent["client_secret"]),
        ("redirect_status", "succeeded" if worked else "failed"),
    ]
    return parts._replace(query=urlencode(query)).geturl()


def _amount(minor: int, currency: str) -> str:
    code = currency.upper()
    exact = Decimal(minor).scaleb(-get_currency_precision(code))
    return format_currency(exact, code, locale="en_US")
