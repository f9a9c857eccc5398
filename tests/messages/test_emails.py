"""Every email: it renders, in text and HTML alike, and nothing that customers or staff type can
break out of it ([MAILS])."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from shared.domain.errors import Invalid
from shared.domain.message import Message, MessageKind
from shared.domain.self_cancel import SelfCancel
from shared.domain.settings import Settings
from shared.messages.builders.collecting import reason_in_words
from shared.messages.facts.of_kind import facts_of
from shared.messages.opening import Facts
from shared.messages.render import (
    TEMPLATES,
    WITHOUT_PORTAL_BUTTON,
    Email,
    Unrenderable,
    render,
)
from shared.messages.required import SAYS_HOW_TO_CANCEL, check_template
from shared.messages.samples import SECRETS, samples

SETTINGS = Settings(
    merchant_name="Paws & Poses",
    support_email="hello@pawsandposes.example",
    support_phone="+1 212 555 0100",
    self_cancel=SelfCancel.CHOICE,
)
URL = "https://portal.example"
SUBSCRIPTION_PAGE = f"{URL}/subscriptions/01JSAMPLESUBSCRIPTION"
HOSTILE = "<img src=x onerror=alert(1)>\"'&\r\nBcc: all@example.org\r\n\r\nTotal: $0.00 \u202eevil"

ABOUT_MONEY = frozenset(MessageKind) - {
    MessageKind.SIGN_IN,
    MessageKind.STAFF_SIGN_IN,
    MessageKind.PACK_EXPIRING,
    MessageKind.CREDITS_LOW,
    # About credits; what is to be paid besides is tried with their builders.
    MessageKind.RESERVATION_CONFIRMED,
    MessageKind.RESERVATION_CHANGED,
    MessageKind.RESERVATION_CANCELLED,
    MessageKind.PLACE_OFFERED,
}
NAMES_A_CARD = frozenset(
    {
        MessageKind.ORDER_RECEIPT,
        MessageKind.INVOICE,
        MessageKind.SUBSCRIPTION_PURCHASED,
        MessageKind.TRIAL_STARTED,
        MessageKind.RENEWAL_RECEIPT,
        MessageKind.RENEWAL_REMINDER,
        MessageKind.TRIAL_ENDING,
        MessageKind.CHARGE_FAILED,
        MessageKind.CONFIRM_PAYMENT,
        MessageKind.CARD_UPDATE,
        MessageKind.REFUND,
    }
)
OF_A_RUNNING_SUBSCRIPTION = frozenset(
    {
        MessageKind.SUBSCRIPTION_PURCHASED,
        MessageKind.TRIAL_STARTED,
        MessageKind.RENEWAL_RECEIPT,
        MessageKind.INVOICE,
        MessageKind.RENEWAL_REMINDER,
        MessageKind.TRIAL_ENDING,
        MessageKind.CHARGE_FAILED,
        MessageKind.CONFIRM_PAYMENT,
        MessageKind.CARD_UPDATE,
        MessageKind.PACK_EXPIRING,
    }
)
AMOUNTS = {"en-US": "$96.34", "de-DE": "96,34\u00a0$", "fr-CA": "96,34\u00a0$"}
DAYS = {"en-US": "February 27, 2026", "de-DE": "27. Februar 2026", "fr-CA": "27 février 2026"}


class _Reader(HTMLParser):
    """What a person sees of an HTML body, and which tags and addresses it has."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden += tag in ("style", "title")
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def seen(html: str) -> str:
    return " ".join("".join(read(html).words).split())


def email(kind: MessageKind, *, locale: str = "", settings: Settings = SETTINGS) -> Email:
    return rendered(samples(settings, locale=locale)[kind], settings)


def rendered(message: Message, settings: Settings = SETTINGS) -> Email:
    return render(message, settings=settings, public_url=URL, secrets=SECRETS)


def facts_in(body: str) -> set[str]:
    """Amounts, dates, last fours, addresses and ids: what must not be in one body alone."""
    body = body.replace("\u00a0", " ")
    return set(
        re.findall(
            r"\$[\d,.]+\d|\d{1,2}:\d{2} [AP]M|[A-Z][a-z]+ \d{1,2}, \d{4}|ending in \d{4}", body
        )
        + re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b|\b\d{6}\b", body)
    )


# --- all kinds -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MessageKind)
def test_every_kind_has_facts_a_builder_and_a_template(kind: MessageKind) -> None:
    message = samples(SETTINGS)[kind]
    assert message.kind is kind
    assert isinstance(facts_of(kind).model_validate(message.facts), Facts)
    assert (TEMPLATES / "emails" / f"{kind.value}.j2").is_file()


def test_no_template_is_left_over() -> None:
    assert {path.stem for path in (TEMPLATES / "emails").iterdir()} == {
        kind.value for kind in MessageKind
    }


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fr-CA"])
@pytest.mark.parametrize("kind", MessageKind)
def test_every_email_renders_in_every_locale(kind: MessageKind, locale: str) -> None:
    mail = email(kind, locale=locale)
    assert mail.subject
    assert SETTINGS.merchant_name in mail.text
    assert SETTINGS.support_email in mail.text
    assert "None" not in mail.text.replace("None is planned", "").replace("charge: None", "")


@pytest.mark.parametrize("kind", MessageKind)
def test_text_and_html_tell_the_same(kind: MessageKind) -> None:
    mail = email(kind)
    html = seen(mail.html)
    assert facts_in(" ".join(mail.text.split())) == facts_in(html)
    addresses = set(re.findall(r"https://[^\s)]+", mail.text))
    assert addresses == {link for link in read(mail.html).links if link.startswith("https:")}


@pytest.mark.parametrize("kind", sorted(NAMES_A_CARD))
def test_an_email_about_a_card_names_its_brand_and_last_four(kind: MessageKind) -> None:
    mail = email(kind)
    assert "Visa ending in 4242" in " ".join(mail.text.split())
    assert "Visa ending in 4242" in seen(mail.html)


@pytest.mark.parametrize("kind", sorted(ABOUT_MONEY - {MessageKind.CANCELLATION_SCHEDULED}))
def test_an_email_about_money_names_the_amount(kind: MessageKind) -> None:
    mail = email(kind)
    assert re.search(r"\$\d+\.\d\d", mail.text)
    assert re.search(r"\$\d+\.\d\d", seen(mail.html))


@pytest.mark.parametrize(
    "settings", [SETTINGS, SETTINGS.model_copy(update={"self_cancel": SelfCancel.OFF})]
)
@pytest.mark.parametrize("kind", sorted(OF_A_RUNNING_SUBSCRIPTION))
def test_an_email_of_a_subscription_says_how_to_cancel(
    kind: MessageKind, settings: Settings
) -> None:
    mail = email(kind, settings=settings)
    for body in (mail.text, seen(mail.html)):
        how = body.partition("How to cancel")[2]
        assert "cancel" in how.lower()
        assert settings.support_email in how
    assert SUBSCRIPTION_PAGE in mail.text
    assert SUBSCRIPTION_PAGE in read(mail.html).links


@pytest.mark.parametrize(
    "kind",
    [
        MessageKind.CANCELLED_BY_CUSTOMER,
        MessageKind.CANCELLED_BY_STAFF,
        MessageKind.CANCELLED_AFTER_FAILURES,
    ],
)
def test_a_cancelled_subscription_says_so_and_what_becomes_of_the_credits(
    kind: MessageKind,
) -> None:
    words = " ".join(email(kind).text.split())
    assert "cancelled" in words
    assert "Nothing more will be charged" in words
    assert "2 credits for Yoga class left. They don't expire." in words


# --- what a receipt answers ------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fr-CA"])
def test_a_renewal_receipt_answers_why_was_i_charged(locale: str) -> None:
    words = " ".join(
        email(MessageKind.RENEWAL_RECEIPT, locale=locale).text.replace("\n", " ").split(" ")
    )
    assert "Yoga Club" in words
    assert AMOUNTS[locale] in words
    assert DAYS[locale] in words  # paid at 04:59 UTC on the 28th: the 27th at the location
    assert "Visa ending in 4242" in words
    assert "Sales tax" in words
    assert "Next charge: " in words
    assert "7Q2K-M4XD" in words


def test_a_receipt_names_price_tax_total_period_and_next_charge() -> None:
    words = " ".join(email(MessageKind.RENEWAL_RECEIPT).text.split())
    for told in (
        "Yoga Club: $89.00",
        "Sales tax: $7.34",
        "Total: $96.34",
        "February 28, 2026 to March 30, 2026",
        "Next charge: March 30, 2026: $96.34 with tax on Visa ending in 4242",
    ):
        assert told in words


def test_a_failed_charge_tells_the_next_try_and_where_to_fix_it() -> None:
    mail = email(MessageKind.CHARGE_FAILED)
    assert "Next try: February 28, 2026, 11:59\u00a0PM" in mail.text
    assert f"{URL}/cards" in mail.text
    assert "Last try: March 4, 2026" in mail.text


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", None])
def test_a_lost_card_is_not_called_lost_in_the_mail(code: str | None) -> None:
    assert reason_in_words(code) == "The bank declined it."


def test_a_trial_says_when_and_how_much_and_until_when_to_cancel() -> None:
    words = " ".join(email(MessageKind.TRIAL_STARTED).text.split())
    assert "$96.34 with tax, is made on March 13, 2026" in words
    assert "Cancel before 11:59 PM on March 13, 2026" in words


def test_a_sign_in_email_has_link_and_code_and_no_portal_button() -> None:
    mail = email(MessageKind.SIGN_IN)
    assert SECRETS.link in mail.text
    assert SECRETS.link in read(mail.html).links
    assert SECRETS.code in mail.text
    assert "1 hour" in mail.text
    assert "10 minutes" in mail.text
    assert "email=" not in mail.text


def test_an_email_with_a_secret_is_not_made_without_it() -> None:
    message = samples(SETTINGS)[MessageKind.SIGN_IN]
    with pytest.raises(Unrenderable):
        render(message, settings=SETTINGS, public_url=URL)


@pytest.mark.parametrize("kind", sorted(set(MessageKind) - WITHOUT_PORTAL_BUTTON))
def test_the_portal_button_is_there_while_its_setting_is_on(kind: MessageKind) -> None:
    button = f"{URL}/sign-in?email=sam%40example.org"
    assert button in read(email(kind).html).links
    off = email(kind, settings=SETTINGS.model_copy(update={"email_button": False}))
    assert button not in read(off.html).links
    assert button not in off.text


# --- facts are frozen, and safe --------------------------------------------------------------


@pytest.mark.parametrize("kind", MessageKind)
def test_no_message_holds_a_secret(kind: MessageKind) -> None:
    stored = samples(SETTINGS)[kind].model_dump_json()
    assert SECRETS.link not in stored
    assert SECRETS.code not in stored


@pytest.mark.parametrize("kind", MessageKind)
def test_facts_survive_being_stored(kind: MessageKind) -> None:
    message = samples(SETTINGS)[kind]
    stored = Message.model_validate_json(message.model_dump_json(exclude_defaults=True))
    assert rendered(stored) == rendered(message)


def hostile(kind: MessageKind) -> tuple[Message, Settings]:
    """The email of a customer, product and merchant that are all called `HOSTILE`."""

    def poisoned(value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: poisoned(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [poisoned(each, name) for each in value]
        return HOSTILE if name in ("name", "greeting", "what", "service", "names") else value

    message = samples(SETTINGS)[kind]
    facts = poisoned(message.facts)
    assert isinstance(facts, dict)
    return (
        message.model_copy(update={"facts": facts}),
        SETTINGS.model_copy(update={"merchant_name": HOSTILE, "address": HOSTILE}),
    )


@pytest.mark.parametrize("kind", MessageKind)
def test_hostile_names_stay_words(kind: MessageKind) -> None:
    message, settings = hostile(kind)
    mail = rendered(message, settings)
    assert "img" not in read(mail.html).tags
    assert "<img src=x" in unescape(mail.html)
    assert "\u202e" not in mail.html + mail.text + mail.subject
    assert not re.search(r"^(Bcc|Total: \$0\.00)", mail.text, re.MULTILINE)
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


@pytest.mark.parametrize("kind", MessageKind)
def test_html_loads_nothing_and_names_its_language(kind: MessageKind) -> None:
    mail = email(kind)
    reader = read(mail.html)
    assert '<html lang="en">' in mail.html
    assert not {"img", "script", "link", "iframe", "table"} & set(reader.tags)
    assert "url(" not in mail.html
    assert reader.tags.count("h1") == 1


def test_dates_of_another_language_are_marked_with_it() -> None:
    assert (
        '<span lang="de-DE">27. Februar 2026</span>'
        in email(MessageKind.RENEWAL_RECEIPT, locale="de-DE").html
    )


def test_an_unknown_locale_falls_back_to_the_merchants() -> None:
    message = samples(SETTINGS)[MessageKind.RENEWAL_RECEIPT]
    odd = message.model_copy(update={"locale": "xx-nonsense"})
    assert rendered(odd) == rendered(message)


# --- templates of a merchant's own -----------------------------------------------------------


def own(kind: MessageKind) -> str:
    return (TEMPLATES / "emails" / f"{kind.value}.j2").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", MessageKind)
def test_the_built_in_template_would_be_accepted(kind: MessageKind) -> None:
    check_template(kind, own(kind), SETTINGS)


@pytest.mark.parametrize("kind", sorted(SAYS_HOW_TO_CANCEL))
def test_a_required_template_without_how_to_cancel_is_refused(kind: MessageKind) -> None:
    without = own(kind).replace('{% include "sections/how_to_cancel.j2" %}', "")
    with pytest.raises(Invalid) as refused:
        check_template(kind, without, SETTINGS)
    assert refused.value.code == "how_to_cancel_missing"
    assert "template" in refused.value.fields


def test_how_to_cancel_that_is_never_shown_does_not_count() -> None:
    kind = MessageKind.SUBSCRIPTION_PURCHASED
    include = '{% include "sections/how_to_cancel.j2" %}'
    hidden = own(kind).replace(include, "{% if false %}" + include + "{% endif %}")
    with pytest.raises(Invalid):
        check_template(kind, hidden, SETTINGS)


@pytest.mark.parametrize(
    "broken", ["{% if %}", "{{ nothing_like_this }}", "{{ ''.__class__.__mro__ }}", ""]
)
def test_a_template_that_does_not_fill_is_refused(broken: str) -> None:
    with pytest.raises(Invalid):
        check_template(MessageKind.ORDER_RECEIPT, broken, SETTINGS)
