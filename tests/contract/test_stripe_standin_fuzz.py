"""Whatever is sent to the Stripe stand-in is answered, and an error leaves nothing behind."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.stripe_cards import KNOWN_METHODS, WORKS
from tests.contract.stripe_standin_bench import KEY, Bench, brackets

PATHS = (
    "customers",
    "customers/{customer}",
    "customers/{customer}/payment_methods",
    "payment_methods",
    "payment_methods/{card}",
    "payment_methods/{card}/attach",
    "payment_methods/{card}/detach",
    "payment_intents",
    "payment_intents/{intent}",
    "payment_intents/{intent}/confirm",
    "payment_intents/{intent}/cancel",
    "checkout/sessions",
    "charges",
    "refunds",
    "disputes",
    "events",
    "account",
)
NAMES = [
    "amount",
    "currency",
    "customer",
    "payment_method",
    "confirm",
    "off_session",
    "return_url",
    "description",
    "limit",
    "metadata",
    "metadata[a]",
    "metadata[]",
    "metadata[a][b]",
    "expand",
    "expand[]",
    "expand[0]",
    "created",
    "created[gte]",
    "starting_after",
    "ending_before",
    "payment_intent",
    "charge",
    "reason",
    "mode",
    "success_url",
    "cancel_url",
    "email",
    "allowed_payment_method_types[]",
    "setup_intent_data[metadata][a]",
    "expires_at",
    "type",
    "[]",
    "a[b",
]
VALUES = (
    "",
    "0",
    "1",
    "-1",
    "4900",
    "9" * 30,
    "1e3",
    "true",
    "false",
    "usd",
    "eur",
    "setup",
    "card",
    "https://shop.example/",
    "duplicate",
    "latest_charge",
    "data.customer",
    "{customer}",
    "{card}",
    "{intent}",
    "\x00",
    "é[]",
)


@settings(max_examples=300, deadline=None)
@given(
    number=st.sampled_from(sorted(KNOWN_METHODS)),
    requests=st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "DELETE"]),
            st.sampled_from(PATHS),
            st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=6),
        ),
        max_size=6,
    ),
)
def test_whatever_is_sent_is_answered(
    number: str, requests: list[tuple[str, str, list[tuple[str, str]]]]
) -> None:
    bench = Bench()
    customer, card = bench.stripe.save_card(number, "ada@example.com")
    made = bench.stripe.save_card(WORKS, "ada@example.com", customer=customer)
    intent = bench.pay(made, confirm=None, off_session=None).content["id"]
    known = {"customer": customer, "card": card, "intent": intent}
    headers = {"Authorization": f"Bearer {KEY}"}
    for method, path, pairs in requests:
        told = {name: _filled(value, known) for name, value in pairs}
        form = "&".join(brackets({name: value}) for name, value in told.items())
        address = f"/v1/{_filled(path, known)}"
        if method == "GET":
            address = f"{address}?{form}"
        before = bench.stripe.charges()
        status, _, body = bench.stripe.handle(method, address, headers, form.encode())
        content = json.loads(body)
        assert status in (200, 400, 402, 404), content
        assert ("error" in content) == (status != 200)
        if status in (400, 404):
            assert bench.stripe.charges() == before
        for charge in bench.stripe.charges():
            assert sum(charge.refunds) + charge.reversed <= charge.amount


def _filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text
