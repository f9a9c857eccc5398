"""Stripe as our adapter sees it, with localstripe behind it: it decides and keeps what it can, and
what it lacks is served here, by the rules that Stripe documents.

The requests are read as our stand-in for Stripe reads them (`infra/local/stripe_…`): the key, the
pinned version, idempotency keys, and every parameter held against Stripe's own description, also
those of calls that go on to localstripe. What is undocumented is refused.

| call | who serves it |
|---|---|
| `POST customers`, `GET` and `POST customers/{id}` | localstripe |
| `GET payment_methods/{id}`, `…/attach`, `…/detach`, list by customer | localstripe |
| `POST payment_intents` | localstripe; `description`, `receipt_email`, `return_url` are kept here |
| `confirm=true`, `POST payment_intents/{id}/confirm` | localstripe decides; here: `off_session`, \
the error object, metadata copied to the Charge (and written to localstripe) |
| a second confirmation after a decline | localstripe, after its failed Charge was taken off |
| `POST payment_intents/{id}` | localstripe; clearing `last_payment_error` here |
| `POST payment_intents/{id}/cancel` | localstripe |
| `GET payment_intents/{id}` | localstripe |
| `GET payment_intents?customer=…` | here: localstripe can't list by customer; its whole list cut |
| `GET charges/{id}`, list by customer | localstripe; order, pages and `created` here |
| `POST refunds`, `GET refunds` | localstripe; here: never more than is left |
| `next_action.redirect_to_url`, the bank's page, `return_url` | here; its answer goes to \
localstripe's `_authenticate` |
| `POST`, `GET checkout/sessions` and the hosted page | here; the card that is typed there becomes \
a payment method at localstripe, attached to the customer |
| `GET setup_intents/{id}`, `GET disputes`, `GET account` | here |
| idempotency keys, `expand[]`, pinned version, wrong keys, faults told from Python | here |
| webhooks `payment_intent.succeeded` and `.payment_failed`, `customer.…` | localstripe |
| webhooks of Checkout, of payment methods, of refunds, `payment_intent.created`, \
`.requires_action` and `.canceled` | here |

Known differences that remain: localstripe declines with one code (here `generic_decline`), calls
every card a Visa, and asks for authentication each time, also with a card that was set up for later
payments (…3155), which Stripe would then let pass.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from infra.local.stripe_afterwards import Afterwards
from infra.local.stripe_api import Api
from infra.local.stripe_checkout import Checkout
from infra.local.stripe_keys import IdempotencyKeys
from infra.local.stripe_mode import Mode
from infra.local.stripe_pages import Pages
from infra.local.stripe_standin import Stripe
from infra.local.webhook_queue import Deliver
from tests.localstripe.books import BooksAtLocalstripe
from tests.localstripe.payments import PaymentsAtLocalstripe
from tests.localstripe.service import LocalStripe


class Front(Stripe):
    """Our stand-in for Stripe, whose test mode has its objects at localstripe."""

    def __init__(
        self,
        localstripe: LocalStripe,
        now: Callable[[], datetime],
        deliver: Deliver,
        key: str,
        webhook_secrets: Sequence[str],
        public_url: str,
    ) -> None:
        self._localstripe = localstripe
        super().__init__(now, deliver, key, webhook_secrets, public_url)

    def _mode(self, livemode: bool) -> Mode:
        if livemode:
            return super()._mode(livemode)
        books = BooksAtLocalstripe(self._localstripe, self._now, self.hooks.send, self._rng)
        payments = PaymentsAtLocalstripe(books, self._root)
        afterwards = Afterwards(books)
        checkout = Checkout(books, self._root)
        api = Api(books, payments, afterwards, checkout, self._account)
        pages = Pages(checkout, payments, self._now, self._mount)
        return Mode(books, payments, afterwards, api, pages, IdempotencyKeys(self._now))
