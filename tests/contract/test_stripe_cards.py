"""Cards at Stripe: its hosted page, customers who bear our reference, how the account stands."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from infra.local.stripe_cards import ACH_WORKS, SEPA_WORKS
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.hosted import STRIPE_ORIGINS, STRIPE_URL
from shared.providers.port import CardSetup, SetupProblem
from shared.providers.stripe import StripeProvider
from tests.contract.bench import CardKind, save
from tests.contract.stripe_bench import KEY, SECRETS, Clock, StripeBench

RETURN_URL = "https://shop.example/cards"


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()


def start(provider: StripeProvider, **changes: Any) -> CardSetup:
    asked = {
        "reference": "customer-1",
        "email": "ada@example.com",
        "provider_customer": None,
        "return_url": RETURN_URL,
        "idempotency_key": "setup-1",
    }
    return provider.start_card_setup(**{**asked, **changes})


def sent(bench: StripeBench, path: str) -> list[dict[str, str]]:
    """The forms that were posted to `path`."""
    forms = [parse_qs(body.decode()) for _, to, _, body in bench.sent if to == path]
    return [{name: values[0] for name, values in form.items()} for form in forms]


def test_the_page_is_asked_for_as_stripe_documents_it(bench: StripeBench) -> None:
    start(bench.adapter())
    assert sent(bench, "/v1/customers") == [
        {"email": "ada@example.com", "metadata[reference]": "customer-1"}
    ]
    (page,) = sent(bench, "/v1/checkout/sessions")
    assert page["mode"] == "setup"
    assert page["client_reference_id"] == "customer-1"
    assert page["success_url"] == f"{RETURN_URL}?setup={{CHECKOUT_SESSION_ID}}"
    assert page["cancel_url"] == RETURN_URL


def test_one_customer_of_ours_is_one_customer_of_stripes(bench: StripeBench) -> None:
    first, again = (start(bench.adapter(), idempotency_key=f"setup-{n}") for n in range(2))
    assert first.provider_customer == again.provider_customer
    other = start(bench.adapter(), reference="customer-2", idempotency_key="setup-9")
    assert other.provider_customer != first.provider_customer


def test_a_customer_whom_the_merchant_deleted_is_made_anew(bench: StripeBench) -> None:
    first = start(bench.adapter())
    headers = {"Authorization": f"Bearer {KEY}"}
    bench.stripe.handle("DELETE", f"/v1/customers/{first.provider_customer}", headers, b"")
    for key in ("setup-2", "setup-2", "setup-3"):
        again = start(
            bench.adapter(), provider_customer=first.provider_customer, idempotency_key=key
        )
        assert again.provider_customer != first.provider_customer
        assert again.url


def test_a_customer_of_the_other_mode_is_not_made_anew(bench: StripeBench) -> None:
    first = start(bench.adapter())
    live = bench.adapter(key=bench.stripe.other_mode_key)
    with pytest.raises(RequestRefused):
        start(live, provider_customer=first.provider_customer, idempotency_key="setup-2")


def test_with_a_revoked_key_no_page_is_opened(bench: StripeBench) -> None:
    bench.revoke_key()
    with pytest.raises(RequestRefused):
        start(bench.adapter())


def test_a_card_that_the_bank_does_not_take_leaves_the_page_open(bench: StripeBench) -> None:
    setup = start(bench.adapter())
    assert setup.url
    status, _, _ = bench.submit(
        setup.url, number="4000 0000 0000 0002", expiry="08 / 29", cvc="123"
    )
    assert status == 402
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert (found.complete, found.failure) == (False, "generic_decline")
    bench.enter_card(setup, CardKind.WORKS)
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert (found.complete, found.failure) == (True, None)


def test_a_page_that_nobody_used_expires(bench: StripeBench) -> None:
    setup = start(bench.adapter())
    bench.advance(25 * 3_600)
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert (found.complete, found.failure, found.url) == (False, "expired", None)


def test_the_bank_is_asked_when_a_card_is_saved(bench: StripeBench) -> None:
    setup = start(bench.adapter())
    assert setup.url
    _, headers, _ = bench.submit(
        setup.url, number="4000 0025 0000 3155", expiry="08 / 29", cvc="123"
    )
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert not found.complete
    bench.submit(headers["Location"], answer="confirm")
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert found.complete


@pytest.mark.parametrize(
    ("number", "type_", "brand"),
    [
        (SEPA_WORKS, "sepa_debit", "SEPA debit"),
        (ACH_WORKS, "us_bank_account", "STRIPE TEST BANK"),
    ],
)
def test_an_account_is_saved_as_a_card_without_an_expiry(
    bench: StripeBench, number: str, type_: str, brand: str
) -> None:
    provider = bench.adapter(method_types=("card", type_))
    setup = start(provider)
    assert setup.url
    bench.submit(setup.url, number=number)
    found = provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    assert found.card is not None
    assert (found.card.brand, found.card.last4) == (brand, number[-4:])
    assert (found.card.exp_month, found.card.exp_year) == (None, None)


def test_a_page_or_a_card_of_others_at_the_same_account_is_not_ours(bench: StripeBench) -> None:
    _, card = bench.stripe.save_card("4242 4242 4242 4242", "eve@example.com")
    assert bench.provider.fetch_card(card) is None
    form = "mode=setup&success_url=https://elsewhere.example/&allowed_payment_method_types[0]=card"
    headers = {"Authorization": f"Bearer {KEY}"}
    _, _, answer = bench.stripe.handle("POST", "/v1/checkout/sessions", headers, form.encode())
    foreign = answer.decode().split('"id": "')[1].split('"')[0]
    assert foreign.startswith("cs_")
    assert bench.provider.fetch_card_setup(foreign) is None


def test_a_card_is_only_removed_from_the_customer_whose_it_is(bench: StripeBench) -> None:
    setup = save(bench)
    assert setup.card is not None
    bench.provider.remove_card(provider_customer="cus_other", card_token=setup.card.token)
    assert bench.provider.fetch_card(setup.card.token) is not None
    with pytest.raises(ProviderUnavailable):
        bench.adapter(key=bench.stripe.other_mode_key).remove_card(
            provider_customer=setup.provider_customer or "", card_token=setup.card.token
        )


# How the account stands


def test_stripes_own_pages_are_the_origins(bench: StripeBench) -> None:
    assert StripeProvider(KEY, SECRETS, Clock()).hosted_origins == STRIPE_ORIGINS
    assert STRIPE_URL.startswith("https://")
    assert all(origin.startswith("https://") for origin in STRIPE_ORIGINS)
    assert bench.provider.hosted_origins == ("http://127.0.0.1:8000",)


def problems(provider: StripeProvider, *currencies: str) -> list[SetupProblem]:
    return [problem for problem, _ in provider.check_setup(currencies).problems]


def test_an_account_says_its_mode_and_its_name(bench: StripeBench) -> None:
    report = bench.adapter().check_setup(["USD", "EUR"])
    assert (report.live, report.account, report.problems) == (False, "Stand-in", ())
    live = bench.adapter(key=bench.stripe.other_mode_key).check_setup(["USD"])
    assert (live.live, live.problems) == (True, ())


def test_what_is_wrong_with_an_account_is_named(bench: StripeBench) -> None:
    bench.stripe.let_account_charge(False)
    assert problems(bench.adapter(), "USD") == [SetupProblem.ACCOUNT_CANT_CHARGE]
    bench.stripe.let_account_charge(True)
    assert problems(bench.adapter(), "USD", "XAU") == [SetupProblem.CURRENCY_NOT_TAKEN]
    bench.revoke_key()
    assert problems(bench.adapter(), "USD") == [SetupProblem.KEY_REFUSED]
    assert problems(bench.adapter(key="pk_test_1"), "USD") == [SetupProblem.WRONG_MODE]
    assert problems(bench.adapter(key=""), "USD") == [SetupProblem.WRONG_MODE]
