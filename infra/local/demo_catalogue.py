"""What the demo business sells: Wag & Flow, dog daycare by day and a yoga studio upstairs.

Two locations with their own time zone, currency and tax. Every kind of product and every rule of
the shop has an example here that such a business would really have.
"""

from decimal import Decimal

from shared.domain.business import Location, Service, StaffPerson
from shared.domain.calendar import Frequency
from shared.domain.product import Catalogue, Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.domain.self_cancel import SelfCancel
from shared.domain.settings import Settings

RIVERSIDE = Location(
    id="riverside",
    name="Riverside, New York",
    zone="America/New_York",
    currency="USD",
    tax_name="Sales tax",
    tax_rate=Decimal("0.0825"),
    address="18 Tannery Lane, Riverside, NY 12207",
    phone="+1 518 555 0142",
    service_rates={"daycare": 3000, "yoga": 2000},
    further_discounts={"daycare": Decimal("0.10")},
)
KREUZBERG = Location(
    id="kreuzberg",
    name="Kreuzberg, Berlin",
    zone="Europe/Berlin",
    currency="EUR",
    tax_name="MwSt.",
    tax_rate=Decimal("0.19"),
    address="Lohmühlenstraße 33, 10999 Berlin",
    phone="+49 30 5550 1420",
    service_rates={"daycare": 2800, "yoga": 1800},
    further_discounts={"daycare": Decimal("0.10")},
)

SETTINGS = Settings(
    merchant_name="Wag & Flow",
    support_email="hello@wagandflow.example",
    support_phone="+1 518 555 0142",
    address="18 Tannery Lane, Riverside, NY 12207",
    headline="A good day for your dog. An hour for you.",
    tagline="Dog daycare on the ground floor, yoga upstairs. Two houses, one team.",
    self_cancel=SelfCancel.CHOICE,
)

SERVICES = (
    Service(id="daycare", name="Dog daycare", unit="day"),
    Service(id="yoga", name="Yoga class", unit="class"),
)


TEACHERS = (
    StaffPerson(id="mira", name="Mira"),
    StaffPerson(id="jonas", name="Jonas"),
)


def _prices(dollars: str, euros: str | None = None) -> dict[str, int]:
    """Minor units of both currencies; without euros it is not sold in Berlin."""
    prices = {"USD": int(Decimal(dollars) * 100)}
    return prices if euros is None else prices | {"EUR": int(Decimal(euros) * 100)}


PACKAGES = (
    Product(
        id="daycare-day",
        name="One daycare day",
        kind=ProductKind.PACKAGE,
        category="Daycare",
        service="daycare",
        credits=1,
        validity_days=90,
        prices=_prices("32", "29"),
        taxed=True,
        account_code="4010",
        description="Drop-off from 7:30, pick-up until 19:00. Two walks, a nap and a note on how "
        "the day went.",
    ),
    Product(
        id="daycare-10",
        name="Ten daycare days",
        kind=ProductKind.PACKAGE,
        category="Daycare",
        service="daycare",
        credits=10,
        validity_days=180,
        prices=_prices("250", "240"),
        taxed=True,
        account_code="4010",
        email_days_before_expiry=14,
        email_credits_left=2,
        description="Our best-loved pass: ten days whenever you need them, for one dog or for two "
        "from the same home.",
    ),
    Product(
        id="yoga-class",
        name="Drop-in class",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=1,
        validity_days=30,
        prices=_prices("22", "18"),
        taxed=True,
        account_code="4020",
        description="Any class on the schedule. Mats and blocks are here, and so is tea.",
    ),
    Product(
        id="yoga-10",
        name="Ten-class pass",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=10,
        validity_months=6,
        prices=_prices("170", "145"),
        taxed=True,
        account_code="4020",
        email_days_before_expiry=14,
        email_credits_left=2,
        description="Ten classes in six months, any teacher, either house. Two of them can be for "
        "a friend.",
    ),
    Product(
        id="yoga-30-days",
        name="Thirty days of yoga",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=None,
        validity_days=30,
        prices=_prices("149", "125"),
        taxed=True,
        account_code="4020",
        email_days_before_expiry=3,
        description="As many classes as you like for thirty days. It ends by itself.",
    ),
    Product(
        id="first-three",
        name="Three classes to find your feet",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=3,
        validity_days=21,
        prices=_prices("36", "30"),
        taxed=True,
        account_code="4020",
        restrict_to=RestrictTo.NEW_JOINERS,
        description="For anyone who has not been on a mat with us before. Start slowly, we will "
        "show you where everything is.",
    ),
    Product(
        id="community-class",
        name="Community class",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=1,
        validity_days=30,
        prices=_prices("10", "8"),
        pay_what_you_want=True,
        minimum_prices=_prices("0", "0"),
        account_code="4025",
        description="Sunday at 10. Pay what you can this week, and nothing is fine too.",
    ),
    Product(
        id="daycare-thirty",
        name="Five daycare days, every thirty",
        kind=ProductKind.PACKAGE,
        category="Daycare",
        service="daycare",
        credits=5,
        validity_days=30,
        recurs_when=RecursWhen.PACK_EXPIRES,
        prices=_prices("140", "125"),
        taxed=True,
        account_code="4010",
        description="Five days within thirty, and the next five when they are over. Pay each time "
        "yourself, or let us debit your card.",
    ),
    Product(
        id="yoga-5-again",
        name="Five classes, and five again",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=5,
        validity_months=3,
        recurs_when=RecursWhen.NO_CREDITS_REMAIN,
        prices=_prices("90", "76"),
        taxed=True,
        account_code="4020",
        description="Used up? The next five come a day after your last class, so you never stand "
        "at the door without one.",
    ),
    Product(
        id="friends-10",
        name="Friends and family pass",
        kind=ProductKind.PACKAGE,
        category="Yoga",
        service="yoga",
        credits=10,
        prices=_prices("120", "100"),
        taxed=True,
        account_code="4020",
        hidden=True,
        description="Ten classes that never expire. Only for people who got this link from us.",
    ),
)

SUBSCRIPTIONS = (
    Product(
        id="yoga-unlimited",
        name="Unlimited yoga",
        kind=ProductKind.SUBSCRIPTION,
        category="Yoga",
        service="yoga",
        credits=None,
        frequency=Frequency.MONTHLY,
        trial_days=14,
        prices=_prices("129", "109"),
        taxed=True,
        account_code="4030",
        description="Every class in both houses, for the price of six. The first two weeks are "
        "on us.",
    ),
    Product(
        id="daycare-month",
        name="Eight daycare days a month",
        kind=ProductKind.SUBSCRIPTION,
        category="Daycare",
        service="daycare",
        credits=8,
        frequency=Frequency.MONTHLY,
        prices=_prices("208", "192"),
        taxed=True,
        account_code="4040",
        description="Two days a week with their own friends and their own spot on the sofa.",
    ),
    Product(
        id="daycare-weekdays",
        name="Monday to Friday",
        kind=ProductKind.SUBSCRIPTION,
        category="Daycare",
        service="daycare",
        credits=5,
        validity_days=5,
        frequency=Frequency.WEEKLY,
        prices=_prices("120", "110"),
        taxed=True,
        account_code="4040",
        description="Five days of daycare every week, for dogs with a full-time human.",
    ),
    Product(
        id="daycare-two-days",
        name="Two days, your rhythm",
        kind=ProductKind.SUBSCRIPTION,
        category="Daycare",
        service="daycare",
        credits=2,
        frequency=Frequency.WEEKLY,
        frequencies=(Frequency.WEEKLY, Frequency.BIWEEKLY),
        prices=_prices("56", "50"),
        taxed=True,
        account_code="4040",
        description="Two daycare days each time, every week or every second one.",
    ),
    Product(
        id="yoga-standing",
        name="Your mat, every week",
        kind=ProductKind.SUBSCRIPTION,
        category="Yoga",
        service="yoga",
        credits=1,
        frequency=Frequency.WEEKLY,
        standing=True,
        minimum_payments=4,
        prices=_prices("16", "14"),
        taxed=True,
        account_code="4030",
        description="The same class on the same day, every week: we keep the place for you. At "
        "least four weeks.",
    ),
    Product(
        id="puppy-year",
        name="Puppy year",
        kind=ProductKind.SUBSCRIPTION,
        category="Daycare",
        service="daycare",
        credits=12,
        frequency=Frequency.MONTHLY,
        minimum_payments=12,
        prices=_prices("264", "245"),
        taxed=True,
        account_code="4040",
        description="Twelve days a month through the first year, with puppy school on Wednesdays. "
        "You commit to twelve months, we keep the place.",
    ),
    Product(
        id="house-friend",
        name="Friend of the house",
        kind=ProductKind.SUBSCRIPTION,
        category="House",
        credits=0,
        frequency=Frequency.MONTHLY,
        prices=_prices("9", "8"),
        account_code="4050",
        description="Keeps the lights on and the kettle warm. You get first pick of workshop "
        "places and the house newsletter.",
    ),
    Product(
        id="open-mat",
        name="Open mat, all year",
        kind=ProductKind.SUBSCRIPTION,
        category="House",
        service="yoga",
        credits=None,
        frequency=Frequency.ANNUAL,
        prices=_prices("240", "210"),
        taxed=True,
        account_code="4030",
        description="The studio is yours between classes: practise on your own from 12 to 16, "
        "every day of the year.",
    ),
)

RETAIL = (
    Product(
        id="cork-mat",
        name="Cork mat",
        kind=ProductKind.RETAIL,
        category="For the mat",
        prices=_prices("68", "59"),
        taxed=True,
        account_code="4100",
        description="Grippy when damp, made of Portuguese cork, 66 cm wide. The one we teach on.",
    ),
    Product(
        id="leash",
        name="Rope leash",
        kind=ProductKind.RETAIL,
        category="For the dog",
        prices=_prices("34", "29.90"),
        taxed=True,
        account_code="4100",
        description="Climbing rope with a brass hook, 150 cm. Washes well, chews badly.",
    ),
    Product(
        id="treats",
        name="Oat and apple treats",
        kind=ProductKind.RETAIL,
        category="For the dog",
        prices=_prices("9.50", "7.90"),
        taxed=True,
        account_code="4100",
        description="Baked in our kitchen on Mondays. 250 g, no sugar, gone by Thursday.",
    ),
    Product(
        id="bolster",
        name="House bolster",
        kind=ProductKind.RETAIL,
        category="For the mat",
        prices=_prices("52"),
        taxed=True,
        account_code="4100",
        restrict_to=RestrictTo.ACTIVE_MEMBERS,
        locations=("riverside",),
        description="Buckwheat bolsters from our own workshop, a few each month, for people who "
        "practise here.",
    ),
    Product(
        id="shelter-fund",
        name="Shelter fund",
        kind=ProductKind.RETAIL,
        category="For the dog",
        prices=_prices("15", "15"),
        pay_what_you_want=True,
        minimum_prices=_prices("5", "5"),
        account_code="4900",
        description="All of it goes to the animal shelter around the corner. Choose what you give, "
        "from five up.",
    ),
    Product(
        id="morning-flow",
        name="Morning flow: six films",
        kind=ProductKind.ACCESS,
        category="For the mat",
        prices=_prices("24", "22"),
        taxed=True,
        account_code="4200",
        access_link="https://films.wagandflow.example/morning-flow",
        description="Six practices of twenty minutes with Mira, to keep and to watch as often as "
        "you like.",
    ),
)

CATALOGUE = Catalogue(
    settings=SETTINGS,
    locations=(RIVERSIDE, KREUZBERG),
    services=SERVICES,
    products=(*PACKAGES, *SUBSCRIPTIONS, *RETAIL),
    staff_people=TEACHERS,
)
