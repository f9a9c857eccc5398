"""A second payment provider beside the sandbox: another sandbox, under a name of its own ([MANY]).

It has its own customers, cards, keys and webhooks; nothing of the one is known to the other.
"""

from urllib.parse import urlencode, urlsplit

from infra.local.sandbox import Sandbox, in_process
from infra.local.world import LocalWorld
from shared.operations import cards
from shared.providers.port import CardSeen, CardSetup
from shared.providers.sandbox import SandboxProvider
from shared.wiring import SECRETS_KEPT
from tests.shop_floor import WORKS, context_of, head

NAME = "second"
MOUNT = f"/_local/{NAME}"
WEBHOOK_SECRET = "whsec-of-the-second"
KEY = "sk-of-the-second"


class SecondProvider(SandboxProvider):
    """The sandbox's adapter under the other name."""

    name = NAME

    def fetch_card_setup(self, setup_id: str) -> CardSetup | None:
        setup = super().fetch_card_setup(setup_id)
        if setup is None or setup.card is None:
            return setup
        card = setup.card.model_copy(update={"provider": NAME})
        return setup._replace(card=card)

    def fetch_card(self, card_token: str) -> CardSeen | None:
        seen = super().fetch_card(card_token)
        if seen is None:
            return None
        return seen._replace(card=seen.card.model_copy(update={"provider": NAME}))


def only_the_sandbox(world: LocalWorld) -> None:
    """No other provider is set up, as long as nobody has read the settings yet."""
    for name in {*world.parameters.content, *world.wiring.provider_overrides} - {"sandbox"}:
        world.parameters.content.pop(name, None)
        world.wiring.provider_overrides.pop(name, None)


def set_up(world: LocalWorld) -> Sandbox:
    """The second provider is set up beside the first, whose cards stay where they are."""

    def deliver(delay_seconds: int, _path: str, headers: dict[str, str], body: bytes) -> None:
        world.deliver(delay_seconds, f"/webhooks/{NAME}", headers, body)

    second = Sandbox(
        now=world.now,
        deliver=deliver,
        key=KEY,
        webhook_secrets=(WEBHOOK_SECRET,),
        public_url=world.public_url,
        mount=MOUNT,
        seed=2,
    )
    world.wiring.provider_overrides[NAME] = SecondProvider(
        base_url=world.public_url + MOUNT,
        key=KEY,
        webhook_secrets=(WEBHOOK_SECRET,),
        now=world.now,
        transport=in_process(second),
    )
    return second


def take_away(world: LocalWorld, name: str = NAME) -> None:
    """The merchant takes a provider out of the settings: this deployment has it no more, once every
    function has read them anew."""
    world.wiring.provider_overrides.pop(name, None)
    if world.parameters.content.pop(name, None) is not None:
        world.advance(SECRETS_KEPT)


def enter_card(bank: Sandbox, url: str, year: int, number: str = WORKS) -> str:
    """The customer enters a card on the hosted page; answers where the page sends them."""
    path = urlsplit(url).path.partition("/_local/")[2].partition("/")[2]
    form = {"number": number, "expiry": f"12/{year}", "cvc": "123"}
    status, headers, _ = bank.handle("POST", f"/{path}", {}, urlencode(form).encode())
    assert status == 303, "the page sends the customer back"
    return headers["Location"]


def add_card(world: LocalWorld, customer_id: str, bank: Sandbox, name: str) -> cards.Saved:
    """A card at the provider called `name`, whichever new cards go to by the settings."""
    context = context_of(world)
    customer = head(customer_id).value
    setup = context.provider(name).start_card_setup(
        reference=customer_id,
        email=customer.email,
        provider_customer=customer.provider_customers.get(name),
        return_url=f"{world.public_url}/cards/return",
        idempotency_key=world.wiring.new_id(),
    )
    assert setup.url is not None
    enter_card(bank, setup.url, world.now().year + 4)
    return cards.finish(context, name, setup.setup_id, customer_id=customer_id)
