"""What providers promise that have a page of their own on which cards are saved: a part of the one
suite."""

from shared.providers.events import EventKind
from tests.contract.bench import RETURN_URL, CardKind, HostedBench, save


def test_a_setup_is_not_complete_before_a_card_was_entered(bench: HostedBench) -> None:
    started = bench.provider.start_card_setup(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=None,
        return_url=RETURN_URL,
        idempotency_key="setup-open",
    )
    assert started.url
    found = bench.provider.fetch_card_setup(started.setup_id)
    assert found is not None
    assert not found.complete
    assert found.card is None


def test_the_saved_card_is_announced(bench: HostedBench) -> None:
    setup = save(bench)
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert [(event.kind, event.setup_id) for event in read] == [
        (EventKind.CARD_SETUP, setup.setup_id)
    ]


def test_the_same_setup_twice_opens_one_page(bench: HostedBench) -> None:
    pages = {
        bench.provider.start_card_setup(
            reference="customer-1",
            email="ada@example.com",
            provider_customer=None,
            return_url=RETURN_URL,
            idempotency_key="setup-twice",
        ).setup_id
        for _ in range(2)
    }
    assert len(pages) == 1


def test_the_page_belongs_to_the_provider_and_leads_back_with_its_id(bench: HostedBench) -> None:
    started = bench.provider.start_card_setup(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=None,
        return_url=RETURN_URL,
        idempotency_key="setup-page",
    )
    assert bench.provider.card_frame is None
    assert started.url is not None
    assert started.url.startswith(bench.provider.hosted_origins)
    assert bench.enter_card(started, CardKind.WORKS) == f"{RETURN_URL}&setup={started.setup_id}"


def test_a_card_on_file_is_read_again_with_whose_it_is(bench: HostedBench) -> None:
    setup = save(bench, reference="customer-7")
    assert setup.card is not None
    seen = bench.provider.fetch_card(setup.card.token)
    assert seen is not None
    assert (seen.reference, seen.card) == ("customer-7", setup.card)


def test_a_card_that_was_removed_or_never_was_is_not_on_file(bench: HostedBench) -> None:
    setup = save(bench)
    assert setup.card is not None
    assert setup.provider_customer is not None
    bench.provider.remove_card(
        provider_customer=setup.provider_customer, card_token=setup.card.token
    )
    assert bench.provider.fetch_card(setup.card.token) is None
    assert bench.provider.fetch_card("card_unknown") is None


def test_a_card_that_the_network_renews_is_announced_and_can_be_read(bench: HostedBench) -> None:
    setup = save(bench)
    assert setup.card is not None
    bench.deliveries()
    bench.renew(setup.card.token, last4="1111", exp_month=12, exp_year=2031)
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert [(event.kind, event.object_id) for event in read] == [(EventKind.CARD, setup.card.token)]
    seen = bench.provider.fetch_card(setup.card.token)
    assert seen is not None
    renewed = {"last4": "1111", "exp_month": 12, "exp_year": 2031}
    assert seen.card == setup.card.model_copy(update=renewed)
