"""What is taken for a card's number, which must never reach us."""

import pytest

from shared.domain.card_number import is_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "5454545454545454",
        "371449635398431",
        "36438999960016",
        "4222222222222",
        "6304000000000000000",
    ],
)
def test_a_card_number_is_one_however_it_is_spaced(text: str) -> None:
    assert is_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",
        "9418594164541111",
        "9424242424242424242",
        "424242424242",
        "42424242424242424242",
        "tok_4242424242424242",
        "\uff14242424242424242",
    ],
)
def test_a_token_is_none(text: str) -> None:
    assert not is_card_number(text)
