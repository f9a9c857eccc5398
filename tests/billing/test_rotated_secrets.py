"""Secrets by reference: read when they are needed, kept for minutes, rotated without a gap
([VERIFY])."""

import json
import logging
from datetime import timedelta
from itertools import count

import pytest

from infra.local.world import LocalWorld
from shared.providers.errors import NoSuchProvider
from shared.wiring import SECRETS_KEPT, SECRETS_READ_AGAIN_AFTER
from tests.billing.conftest import Shop

PATH = "/webhooks/sandbox"
NEW = "whsec-the-next-one"
KEY = "the-next-key"

_numbers = count(1)


@pytest.fixture
def world(shop: Shop) -> LocalWorld:
    """Functions make their adapters themselves, from what the parameter says."""
    world = shop("2026-01-05 15:00")
    world.wiring.provider_overrides.clear()
    return world


def post(world: LocalWorld, *secrets: str) -> int:
    """An event as the provider signs it with these secrets."""
    hooks = world.sandbox.hooks
    hooks.secrets = secrets
    body = json.dumps({"id": f"evt_{next(_numbers)}", "type": "account.updated"}).encode()
    headers = {"sandbox-signature": hooks.signature(body, world.now())}
    return world.request("POST", PATH, headers, body).status


def set_secrets(world: LocalWorld, *secrets: str) -> None:
    """What the merchant writes into the parameter."""
    old = world.parameters.content["sandbox"]
    world.parameters.content = {"sandbox": {**old, "webhook_secrets": list(secrets)}}


def test_a_secret_is_rotated_without_a_webhook_being_refused(world: LocalWorld) -> None:
    (old,) = world.sandbox.hooks.secrets
    assert post(world, old) == 200
    # Both are in the parameter before the provider signs with the new one.
    set_secrets(world, old, NEW)
    world.advance(SECRETS_KEPT)
    assert post(world, old) == 200
    assert post(world, old, NEW) == 200
    assert post(world, NEW) == 200
    set_secrets(world, NEW)
    world.advance(SECRETS_KEPT)
    assert post(world, NEW) == 200
    assert post(world, old) == 400


def test_a_new_secret_holds_from_its_first_webhook_on(world: LocalWorld) -> None:
    (old,) = world.sandbox.hooks.secrets
    assert post(world, old) == 200
    set_secrets(world, NEW)
    world.advance(SECRETS_READ_AGAIN_AFTER)
    assert post(world, NEW) == 200, "what does not verify is tried with the secrets as they are now"


def test_forged_webhooks_dont_make_the_secrets_be_read_again_and_again(world: LocalWorld) -> None:
    (old,) = world.sandbox.hooks.secrets
    assert post(world, old) == 200
    asked = world.parameters.asked
    for _ in range(20):
        assert post(world, "forged") == 400
    assert world.parameters.asked == asked
    world.advance(SECRETS_READ_AGAIN_AFTER)
    for _ in range(20):
        assert post(world, "forged") == 400
    assert world.parameters.asked == asked + 1


def test_a_warm_function_reads_the_secrets_once_in_five_minutes(world: LocalWorld) -> None:
    made = world.wiring.provider("sandbox")
    world.advance(SECRETS_KEPT - timedelta(seconds=1))
    assert world.wiring.provider("sandbox") is made
    old = world.parameters.content["sandbox"]
    world.parameters.content = {"sandbox": {**old, "key": KEY}}
    assert world.wiring.provider("sandbox") is made
    world.advance(timedelta(seconds=1))
    assert world.wiring.provider("sandbox") is not made


def test_what_was_read_goes_on_being_used_while_the_parameter_cant_be_read(
    world: LocalWorld,
) -> None:
    made = world.wiring.provider("sandbox")
    world.parameters.gone = True
    world.advance(SECRETS_KEPT)
    assert world.wiring.provider("sandbox") is made


@pytest.mark.parametrize(
    "content",
    [{}, {"sandbox": {}}, {"sandbox": "x"}, {"sandbox": {"url": "http://x", "key": KEY}}],
)
def test_settings_that_make_no_adapter_are_no_provider_and_no_secret_is_told(
    world: LocalWorld, content: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    world.parameters.content = content
    with caplog.at_level(logging.DEBUG), pytest.raises(NoSuchProvider) as told:
        world.wiring.provider("sandbox")
    assert KEY not in str(told.value) + caplog.text
    assert KEY not in repr(world.wiring)
    assert post(world, "any") == 404
