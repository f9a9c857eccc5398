"""Links and codes are made when their email is: again when it is sent again, and not in vain."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.world import LocalWorld
from shared.domain.message import Message
from shared.operations import sign_in
from shared.operations.sign_in import Minted
from shared.store import access, accounts, snapshot
from shared.store import catalogue as catalogues
from shared.store.reading import read
from shared.store.sessions import Audience
from tests.portal.people import Person, template
from tests.portal.test_sign_in import ADA, CATALOGUE

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    snapshot.forget()
    with LocalWorld(start=START, template=template()) as opened:
        catalogues.publish(CATALOGUE)
        yield opened
    snapshot.forget()


def asked() -> Message:
    """The message of the last asking."""
    ref = access.link(Audience.CUSTOMER, access.address_key(ADA))
    link = read(ref).get(ref)
    assert link is not None
    place = accounts.message(None, ADA, f"sign_in:{link.value.request_id}")
    row = read(place).get(place)
    assert row is not None
    return row.value


def mint(world: LocalWorld, message: Message) -> Minted | None:
    return sign_in.mint_link(
        message,
        settings=CATALOGUE.settings,
        public_url=world.public_url,
        now=world.now(),
        new_secret=world.wiring.new_secret,
        new_code=world.wiring.new_code,
    )


@pytest.mark.parametrize("first", [True, False])
def test_an_email_that_is_sent_twice_has_two_pairs_and_using_one_uses_all(
    world: LocalWorld, first: bool
) -> None:
    ada = Person(world)
    sent = ada.ask_for_link(ADA)
    again = mint(world, asked())
    assert again is not None
    assert again.code != sent.code or again.url != world.public_url + sent.path
    if first:
        ada.post(sent.path)
    else:
        ada.post("/sign-in/code", code=again.code)
    assert ada.is_signed_in
    other = Person(world)
    other.post(sent.path)
    other.post(again.url.removeprefix(world.public_url))
    assert not other.is_signed_in


def test_nothing_is_made_for_a_message_that_a_newer_one_replaced(world: LocalWorld) -> None:
    ada = Person(world)
    ada.ask_for_link(ADA)
    old = asked()
    ada.ask_for_link(ADA)
    assert mint(world, old) is None
    assert mint(world, asked()) is not None


def test_nothing_is_made_once_the_link_was_used(world: LocalWorld) -> None:
    ada = Person(world)
    ada.post(ada.ask_for_link(ADA).path)
    assert mint(world, asked()) is None


def test_a_late_email_does_not_live_longer_than_its_asking(world: LocalWorld) -> None:
    ada = Person(world)
    ada.ask_for_link(ADA)
    world.advance_to(START + timedelta(minutes=59))
    late = mint(world, asked())
    assert late is not None
    world.advance_to(START + timedelta(minutes=60))
    ada.post(late.url.removeprefix(world.public_url))
    assert not ada.is_signed_in
    assert mint(world, asked()) is None


def test_a_secret_of_128_bits_is_in_every_link(world: LocalWorld) -> None:
    Person(world).ask_for_link(ADA)
    minted = [mint(world, asked()) for _ in range(2)]
    tokens = [one.url.rpartition("/")[2] for one in minted if one is not None]
    assert len({token[:43] for token in tokens}) == 1
    assert len({token[43:] for token in tokens}) == 2
    # 43 letters of base64 hold 256 bits; the last letter is never a dash that a mail reader drops.
    assert all(len(token[43:]) == 43 and token[-1].isalnum() for token in tokens)
