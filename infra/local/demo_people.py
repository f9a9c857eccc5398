"""The people of the demo data, and what each of them did in the last months.

Days are counted back from the day on which the demo is opened, so everybody is in the state that
is written here whenever that is: a renewal that failed two days ago always has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from dateutil.relativedelta import relativedelta

from infra.local.demo_catalogue import KREUZBERG, RIVERSIDE
from infra.local.demo_schedule import WORKSHOP
from infra.local.demo_verbs import Person
from infra.local.sandbox_cards import (
    FAILS_LATER,
    INSUFFICIENT_FUNDS,
    LOST_CARD,
    NEEDS_AUTHENTICATION,
)
from infra.local.world import LocalWorld
from shared.domain.business import Location
from shared.domain.calendar import local_date, start_of_day
from shared.domain.cart_lines import Wanted
from shared.operations.cancel import When

MASTERCARD = "5555555555554444"
OPENING_HOUR = 9
LONGEST_DAYS_AGO = 80
"""How far back the history may go."""


@dataclass(frozen=True)
class Step:
    """Something that somebody does at a moment (UTC)."""

    at: datetime
    do: Callable[[], object]


class Life:
    """One person, and what they do: each line says how many days ago, counted in local days."""

    def __init__(self, person: Person, number: int, now: datetime) -> None:
        self.me = person
        self.steps: list[Step] = []
        self._number = number
        self._today = local_date(now, person.location.zone)

    def ago(self, days: int, *doing: Callable[[], object]) -> None:
        """`doing`, one minute after the other, on the morning of a day so many days ago."""
        day = self._today - timedelta(days=days)
        opening = start_of_day(day, self.me.location.zone) + timedelta(hours=OPENING_HOUR)
        self.steps += [Step(opening, do) for do in doing]

    def months(self, months: int, *, renewed: int) -> int:
        """How many days ago somebody bought whose period `months` began `renewed` days ago."""
        bought_on = self._today - timedelta(days=renewed) - relativedelta(months=months)
        return (self._today - bought_on).days

    def ahead(self, days: int) -> date:
        return self._today + timedelta(days=days)

    def buy(self, *wanted: Wanted) -> Callable[[], object]:
        return partial(self.me.buy, *wanted)

    def card(self, number: str = "") -> Callable[[], object]:
        return partial(self.me.save_card, number) if number else self.me.save_card

    def card_turns(self, number: str) -> Callable[[], object]:
        return partial(self.me.card_turns, number)

    def book(self, name: str, **how: Any) -> Callable[[], object]:
        return partial(self.me.book, name, **how)

    def use(self, product: str, times: int, reason: str) -> Callable[[], object]:
        return partial(self.me.use, product, times, reason)


def want(product: str, quantity: int = 1, **choices: object) -> Wanted:
    return Wanted.model_validate({"product_id": product, "quantity": quantity, **choices})


# --- subscribers -----------------------------------------------------------------------------


def _active(life: Life) -> None:
    """All is well: a subscription with credits left, a pass, a mat."""
    life.ago(
        life.months(2, renewed=9),
        life.me.join,
        life.card(),
        life.buy(want("daycare-month"), want("yoga-10"), want("cork-mat")),
    )
    life.ago(38, life.use("yoga-10", 2, "Vinyasa with Mira"))
    life.ago(25, life.use("yoga-10", 1, "Slow flow with Jonas"))
    life.ago(9, life.book("Slow flow"))
    life.ago(3, life.use("daycare-month", 2, "Two daycare days for Pixel"))
    life.ago(2, life.book("Daycare", in_days=3), life.book(WORKSHOP, in_days=5))


def _past_due(life: Life) -> None:
    """The card failed at the last renewal and fails each day since."""
    life.ago(life.months(1, renewed=1), life.me.join, life.card(), life.buy(want("daycare-month")))
    life.ago(5, life.card_turns(FAILS_LATER))


def _past_due_for_good(life: Life) -> None:
    """The card was reported lost: no try helps until there is another one."""
    life.ago(21, life.me.join, life.card(), life.buy(want("daycare-two-days", frequency="weekly")))
    life.ago(4, life.card_turns(LOST_CARD))


def _to_confirm(life: Life) -> None:
    """The bank wants the last renewal to be confirmed."""
    life.ago(
        28, life.me.join, life.card(), life.buy(want("daycare-two-days", frequency="biweekly"))
    )
    life.ago(3, life.card_turns(NEEDS_AUTHENTICATION))


def _rescued(life: Life) -> None:
    """Two tries failed, then a new card paid at once."""
    life.ago(life.months(1, renewed=12), life.me.join, life.card(), life.buy(want("daycare-month")))
    life.ago(20, life.card_turns(INSUFFICIENT_FUNDS))
    life.ago(11, life.card(MASTERCARD))


def _failed(life: Life) -> None:
    """Six tries failed: cancelled, and staff have the notice."""
    life.ago(life.months(1, renewed=14), life.me.join, life.card(), life.buy(want("daycare-month")))
    life.ago(20, life.card_turns(INSUFFICIENT_FUNDS))


def _cancelled(life: Life) -> None:
    """Cancelled at once, with credits left that stay good."""
    life.ago(life.months(1, renewed=18), life.me.join, life.card(), life.buy(want("daycare-month")))
    life.ago(15, life.use("daycare-month", 3, "Three daycare days for Biscuit"))
    life.ago(10, partial(life.me.cancel, When.NOW))


def _ending(life: Life) -> None:
    """Cancelled for the end of the period; it can still be undone."""
    life.ago(life.months(1, renewed=11), life.me.join, life.card(), life.buy(want("daycare-month")))
    life.ago(4, partial(life.me.cancel, When.PERIOD_END))


def _on_trial(life: Life) -> None:
    life.ago(4, life.me.join, life.card(), life.buy(want("yoga-unlimited")))


def _after_trial(life: Life) -> None:
    """The trial became a subscription."""
    life.ago(38, life.me.join, life.card(MASTERCARD), life.buy(want("yoga-unlimited")))


def _starts_later(life: Life) -> None:
    start = life.ahead(12).isoformat()
    life.ago(2, life.me.join, life.card(), life.buy(want("daycare-weekdays", starts_on=start)))


def _committed(life: Life) -> None:
    """Three payments of twelve made; has asked to end it after the twelfth."""
    life.ago(life.months(2, renewed=8), life.me.join, life.card(), life.buy(want("puppy-year")))
    life.ago(5, partial(life.me.cancel, When.REQUEST))
    life.ago(2, life.use("puppy-year", 4, "Puppy school and play for Momo"))
    life.ago(1, life.book("Daycare", in_days=2))


def _weekly(life: Life) -> None:
    life.ago(14, life.me.join, life.card(), life.buy(want("daycare-weekdays")))
    life.ago(5, life.use("daycare-weekdays", 2, "Two daycare days for Olive"))


def _annual(life: Life) -> None:
    life.ago(70, life.me.join, life.card(), life.buy(want("open-mat"), want("treats", 2)))


def _membership(life: Life) -> None:
    """No credits at all: the pack is there, and listed as expired at each renewal."""
    life.ago(life.months(1, renewed=6), life.me.join, life.card(), life.buy(want("house-friend")))


def _until(life: Life) -> None:
    """Ends by itself on the day that was chosen at the start."""
    last_day = life.ahead(40).isoformat()
    life.ago(25, life.me.join, life.card(), life.buy(want("daycare-month", until=last_day)))


def _ended(life: Life) -> None:
    """Has ended on the day that was chosen at the start."""
    last_day = life.ahead(-12).isoformat()
    life.ago(
        36,
        life.me.join,
        life.card(),
        life.buy(want("daycare-two-days", frequency="biweekly", until=last_day)),
    )


def _two_cards(life: Life) -> None:
    """One card for daycare, another for the rest."""

    def buy_with_the_other() -> None:
        other = life.me.head.value.cards[-1].id
        life.me.buy(want("daycare-two-days"), card_id=other)

    life.ago(20, life.me.join, life.card(), life.card(MASTERCARD), buy_with_the_other)
    life.ago(9, life.buy(want("leash"), want("treats", 3)))


# --- packs, retail, and people who have not bought yet ---------------------------------------


def _expired(life: Life) -> None:
    """An unlimited month and a single class, both over."""
    life.ago(80, life.me.join, life.card(), life.buy(want("yoga-30-days"), want("yoga-class")))


def _unlimited(life: Life) -> None:
    life.ago(12, life.me.join, life.card(), life.buy(want("yoga-30-days")))
    life.ago(9, life.book("Slow flow"), life.book("Saturday stretch"))
    life.ago(2, life.book(WORKSHOP, in_days=5), life.book("Slow flow", in_days=3))


def _expires_soon(life: Life) -> None:
    life.ago(18, life.me.join, life.card(), life.buy(want("first-three"), want("morning-flow")))
    life.ago(10, life.use("first-three", 1, "Yoga for beginners with Mira"))
    life.ago(1, life.book(WORKSHOP, in_days=4, wait=True))


def _used_up(life: Life) -> None:
    """The classes come again by debit when they are gone."""
    life.ago(50, life.me.join, life.card(), life.buy(want("daycare-day", 2)))
    life.ago(45, life.use("daycare-day", 2, "A weekend away without Nelson"))
    life.ago(21, life.buy(want("yoga-5-again")))
    life.ago(4, life.use("yoga-5-again", 5, "Five classes in a row"))


def _regular(life: Life) -> None:
    """Two passes, one after the other."""
    life.ago(62, life.me.join, life.card(), life.buy(want("daycare-10")))
    life.ago(50, life.use("daycare-10", 6, "Six daycare days for Juno"))
    life.ago(30, life.use("daycare-10", 4, "Four daycare days for Juno"))
    life.ago(29, life.buy(want("daycare-10"), want("treats")))
    life.ago(6, life.use("daycare-10", 3, "Three daycare days for Juno"))
    life.ago(5, life.book("Daycare", participants=2), life.book("Daycare", in_days=7))


def _pays_nothing(life: Life) -> None:
    """Comes to the community class for what she can: once nothing, once five."""
    life.ago(22, life.me.join, life.buy(want("community-class", price_minor=0)))
    life.ago(15, life.card(), life.buy(want("community-class", price_minor=500)))


def _gives(life: Life) -> None:
    """And pays for five days every thirty himself: the next ones wait in the cart."""
    life.ago(33, life.me.join, life.card(), life.buy(want("shelter-fund", price_minor=4000)))
    life.ago(29, life.buy(want("daycare-thirty", next_payment="by_hand")))


def _films(life: Life) -> None:
    """And a mat of her own, every week."""
    life.ago(
        27, life.me.join, life.card(MASTERCARD), life.buy(want("morning-flow"), want("cork-mat"))
    )
    life.ago(8, partial(life.me.keep_place, "yoga-standing", "Slow flow"))


def _friend(life: Life) -> None:
    """Has the link to the pass that is not in the shop."""
    life.ago(48, life.me.join, life.card(), life.buy(want("friends-10")))
    life.ago(20, life.use("friends-10", 3, "Three classes"))
    life.ago(3, life.book("Feierabend yoga", in_days=4))


def _no_card(life: Life) -> None:
    """Has signed in once and filled a cart."""
    life.ago(3, life.me.join, partial(life.me.fill_cart, want("yoga-10"), want("cork-mat")))


def _newcomer(life: Life) -> None:
    life.ago(1, life.me.join)


def _only_a_card(life: Life) -> None:
    life.ago(9, life.me.join, life.card())
    life.ago(8, life.book("Daycare", pay_later=True))


PEOPLE: tuple[tuple[str, Location, bool, Callable[[Life], None]], ...] = (
    ("Ada Lindqvist", RIVERSIDE, True, _active),
    ("Ben Okafor", RIVERSIDE, True, _past_due),
    ("Cleo Marsh", RIVERSIDE, True, _cancelled),
    ("Dan Petrov", RIVERSIDE, True, _failed),
    ("Eva Brandt", KREUZBERG, False, _on_trial),
    ("Finn Murphy", RIVERSIDE, False, _starts_later),
    ("Gia Romano", RIVERSIDE, True, _unlimited),
    ("Hugo Keller", KREUZBERG, True, _expired),
    ("Ida Svensson", RIVERSIDE, False, _no_card),
    ("Jon Whitaker", RIVERSIDE, False, _only_a_card),
    ("Kim Nguyen", RIVERSIDE, True, _ending),
    ("Lea Hoffmann", KREUZBERG, True, _committed),
    ("Max Adler", KREUZBERG, True, _weekly),
    ("Nia Coleman", RIVERSIDE, True, _two_cards),
    ("Omar Haddad", RIVERSIDE, True, _annual),
    ("Pia Schulz", KREUZBERG, True, _pays_nothing),
    ("Quinn Taylor", RIVERSIDE, True, _until),
    ("Rosa Delgado", RIVERSIDE, True, _films),
    ("Sam Weiss", KREUZBERG, True, _rescued),
    ("Tom Fraser", RIVERSIDE, True, _past_due_for_good),
    ("Uma Patel", RIVERSIDE, True, _to_confirm),
    ("Vic Laurent", KREUZBERG, True, _after_trial),
    ("Wes Carter", RIVERSIDE, True, _gives),
    ("Xenia Wolf", KREUZBERG, True, _regular),
    ("Yan Fischer", KREUZBERG, True, _membership),
    ("Zoe Bennett", RIVERSIDE, False, _expires_soon),
    ("Amir Rahimi", RIVERSIDE, True, _used_up),
    ("Bea Lopez", RIVERSIDE, True, _ended),
    ("Carl Neumann", KREUZBERG, True, _friend),
    ("Dora Klein", KREUZBERG, False, _newcomer),
)
"""Who they are, where they go, whether they came before, and what they did."""


def lives(world: LocalWorld, now: datetime) -> list[Step]:
    """Every step of everybody up to `now` (UTC), in order."""
    steps: list[Step] = []
    for number, (name, location, came_before, live) in enumerate(PEOPLE):
        person = Person(world, f"demo-{name.split()[0].lower()}", name, location, came_before)
        life = Life(person, number, now)
        live(life)
        steps += life.steps
    return sorted(steps, key=lambda step: step.at)
