"""What is handed to SES, and what its answers come to ([OUTBOX])."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from shared.domain.message import Message, MessageKind
from shared.domain.settings import Settings
from shared.messages.render import Email, render
from shared.messages.samples import SECRETS, samples
from shared.messages.sender import Handover, Mailer, message_id
from tests.messages.ses import StandInSes, refusal

NOW = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
SETTINGS = Settings(merchant_name="Café Pfoten & Co", support_email="hello@example.org")
EMAIL = Email(subject="Grüße: $96.34", text="Text · zwölf\n", html="<p>HTML · zwölf</p>\n")


def message(**changes: object) -> Message:
    return samples(SETTINGS)[MessageKind.RENEWAL_RECEIPT].model_copy(update=changes)


def sent(ses: StandInSes, *, settings: Settings = SETTINGS, **changes: object) -> Handover:
    mailer = Mailer(ses, sender="mail@studio.example")
    return mailer.send(message(**changes), EMAIL, settings=settings, now=NOW).handover


def test_an_email_has_both_bodies_and_the_headers_of_a_program() -> None:
    ses = StandInSes()
    assert sent(ses) is Handover.ACCEPTED
    (mime,) = ses.accepted
    text, html = mime.get_body(("plain",)), mime.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == EMAIL.text.splitlines()
    assert html.get_content().splitlines() == EMAIL.html.splitlines()
    assert mime["Subject"] == EMAIL.subject
    assert mime["From"] == "Café Pfoten & Co <mail@studio.example>"
    assert mime["To"] == "sam@example.org"
    assert mime["Reply-To"] == "hello@example.org"
    assert mime["Date"].datetime == NOW
    assert mime["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in mime
    assert ses.asked[0]["Destination"] == {"ToAddresses": ["sam@example.org"]}


def test_the_same_message_is_the_same_to_the_byte_and_another_is_not() -> None:
    ses = StandInSes()
    sent(ses)
    sent(ses)
    sent(ses, key="renewal_receipt:another")
    assert ses.raw[0] == ses.raw[1]
    ids = [mime["Message-ID"] for mime in ses.accepted]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == f"<{message_id(message())}@studio.example>"
    assert ses.accepted[0]["X-Message-Key"] == message_id(message())


def test_the_message_id_tells_nothing() -> None:
    assert "sam" not in message_id(message())
    assert message().key not in message_id(message())
    assert message_id(message()) != message_id(message(customer_id="somebody-else"))


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\x00", "\x85"])
def test_no_header_can_be_injected(break_: str) -> None:
    evil = f"Studio{break_}Bcc: all@example.org"
    ses = StandInSes()
    settings = SETTINGS.model_copy(update={"merchant_name": evil})
    mailer = Mailer(ses, sender="mail@studio.example")
    mail = render(
        message(), settings=settings, public_url="https://portal.example", secrets=SECRETS
    )
    subject = Email(subject=evil, text=mail.text, html=mail.html)
    mailer.send(message(), subject, settings=settings, now=NOW)
    (mime,) = ses.accepted
    assert "Bcc" not in mime
    assert mime["Subject"] == "Studio Bcc: all@example.org"
    assert [address.addr_spec for address in mime["From"].addresses] == ["mail@studio.example"]


@pytest.mark.parametrize(
    "address",
    [
        "sam@example.org\r\nBcc: all@example.org",
        "sam@example.org, all@example.org",
        "sam",
        "@example.org",
        "sam@",
        "",
        "a b@example.org",
        "säm@example.org",
        f"sam@{'x' * 300}.example",
    ],
)
def test_a_malformed_address_is_rejected_without_asking(address: str) -> None:
    ses = StandInSes()
    assert sent(ses, to=address) is Handover.REJECTED
    assert ses.asked == []


def test_a_domain_of_other_letters_is_written_in_ascii() -> None:
    ses = StandInSes()
    assert sent(ses, to="sam@bücher.example") is Handover.ACCEPTED
    assert ses.asked[0]["Destination"] == {"ToAddresses": ["sam@xn--bcher-kva.example"]}


@pytest.mark.parametrize(
    "error",
    [
        refusal("TooManyRequestsException", status=429),
        refusal("LimitExceededException"),
        refusal("SendingPausedException"),
        refusal("InternalServiceErrorException", status=500),
        refusal("ServiceUnavailable", status=503),
        refusal("AccountSuspendedException"),
        refusal("MailFromDomainNotVerifiedException"),
        refusal("MessageRejected", "Email address is not verified: mail@studio.example"),
        refusal("AccessDeniedException", status=403),
        ReadTimeoutError(endpoint_url="https://email.example"),
        EndpointConnectionError(endpoint_url="https://email.example"),
    ],
)
def test_what_may_pass_is_tried_later(error: Exception) -> None:
    assert sent(StandInSes(error)) is Handover.TRY_LATER


@pytest.mark.parametrize(
    "error",
    [refusal("BadRequestException", "Illegal address"), refusal("MessageRejected", "Suppressed")],
)
def test_an_address_that_ses_refuses_is_rejected(error: Exception) -> None:
    assert sent(StandInSes(error)) is Handover.REJECTED


def test_the_reason_names_no_address() -> None:
    error = refusal("BadRequestException", "Illegal address sam@example.org")
    answer = Mailer(StandInSes(error), sender="mail@studio.example").send(
        message(), EMAIL, settings=SETTINGS, now=NOW
    )
    assert "@" not in answer.why
