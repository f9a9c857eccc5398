"""Documents of items beyond a KB are packed, and read again whatever they hold ([decision 9])."""

import hashlib
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bench.units import item_bytes
from shared.domain.message import Message, MessageKind
from shared.domain.settings import Settings
from shared.messages.samples import samples
from shared.store import accounts, packing
from shared.store.items import WRITE_UNIT_BYTES, document, item_of, row_of

SETTINGS = Settings(merchant_name="Happy Paws", support_email="help@example.com")
AT = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
DICTIONARY_1 = "09a36a1ef1662a0c340c612ac54aee22681cf4cecf6243ed13d213b062953abe"
"""What was packed with it is stored: it never changes, another one gets another name."""


def message(words: int) -> Message:
    return Message(
        key="invoice:1",
        kind=MessageKind.INVOICE,
        to="ada@example.com",
        customer_id="ada",
        created_at=AT,
        facts={"greeting": " ".join(f"word{at}" for at in range(words))},
    )


def stored(one: Message) -> dict[str, dict[str, str]]:
    """As DynamoDB gives it back."""
    return item_of(accounts.message(one.customer_id, one.to, one.key), one, 1)


@given(st.text())
def test_any_text_is_the_same_after_packing(text: str) -> None:
    assert packing.unpacked(packing.packed(text)) == text


def test_the_first_dictionary_is_what_it_was() -> None:
    assert hashlib.sha256(packing._WORDS_1).hexdigest() == DICTIONARY_1


def test_what_was_packed_before_is_read() -> None:
    kept = "z1:g+ZJA0PMigCaatyLDm87PD9VqRYA"
    assert json.loads(packing.unpacked(kept)) == {"id": "01", "state": "open", "name": "Größe"}


def test_a_small_item_stays_readable() -> None:
    raw = stored(message(10))
    assert json.loads(raw["body"]["S"])["to"] == "ada@example.com"
    assert document(raw) == raw["body"]["S"]


def test_an_item_of_more_than_a_kilobyte_is_packed_and_read_as_it_was() -> None:
    one = message(200)
    raw = stored(one)
    assert raw["body"]["S"].startswith(packing.PACKED_1)
    assert row_of(accounts.message(one.customer_id, one.to, one.key), raw).value == one
    assert item_bytes(raw) < len(document(raw))


def test_every_email_is_one_write_unit() -> None:
    for kind, one in samples(SETTINGS).items():
        assert item_bytes(stored(one)) <= WRITE_UNIT_BYTES, kind
