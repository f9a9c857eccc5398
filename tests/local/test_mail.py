"""[MAIL]: what was sent can be looked at, by people and by programs."""

import base64
from datetime import timedelta
from email.message import EmailMessage

import boto3
import pytest

from infra.local.world import LocalWorld

JSON = {"Accept": "application/json"}


def _send(to: str, subject: str = "Hello", html: str = "<p>Hi</p>") -> str:
    answer = boto3.client("sesv2").send_email(
        FromEmailAddress="shop@example.com",
        Destination={"ToAddresses": [to]},
        Content={
            "Simple": {
                "Subject": {"Data": subject},
                "Body": {"Text": {"Data": "Hi é"}, "Html": {"Data": html}},
            }
        },
    )
    return str(answer["MessageId"])


def test_the_list_has_what_was_sent_newest_first(world: LocalWorld) -> None:
    _send("ada@example.com", "First")
    world.advance(timedelta(hours=1))
    _send("ada@example.com", "Second")
    answer = world.request("GET", "/_local/mail", JSON)
    assert answer.status == 200
    assert answer.json() == [
        {
            "to": "ada@example.com",
            "subject": "Second",
            "text": "Hi é",
            "html": "<p>Hi</p>",
            "sent_at": "2026-01-05T16:00:00Z",
        },
        {
            "to": "ada@example.com",
            "subject": "First",
            "text": "Hi é",
            "html": "<p>Hi</p>",
            "sent_at": "2026-01-05T15:00:00Z",
        },
    ]


@pytest.mark.parametrize("to", ["bob%2Bx@example.com", "bob+x@example.com", "BOB%2Bx@Example.com"])
def test_to_filters_by_address(world: LocalWorld, to: str) -> None:
    _send("ada@example.com")
    _send("bob+x@example.com", "For Bob")
    found = world.request("GET", f"/_local/mail?to={to}", JSON).json()
    assert [mail["subject"] for mail in found] == ["For Bob"]


def test_a_raw_email_is_read_like_a_simple_one(world: LocalWorld) -> None:
    message = EmailMessage()
    message["Subject"] = "Rëceipt"
    message["From"] = "shop@example.com"
    message["To"] = "ada@example.com"
    message["X-Message"] = "m-1"
    message.set_content("In plain words: ü")
    message.add_alternative("<p>In <b>colour</b></p>", subtype="html")
    boto3.client("sesv2").send_email(
        Destination={"ToAddresses": ["ada@example.com"]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )
    (mail,) = world.mailbox.sent()
    assert (mail.subject, mail.text.strip()) == ("Rëceipt", "In plain words: ü")
    assert mail.html.strip() == "<p>In <b>colour</b></p>"
    assert dict(mail.headers)["X-Message"] == "m-1"


@pytest.mark.usefixtures("world")
def test_every_email_has_an_id_of_its_own() -> None:
    assert _send("a@example.com") != _send("a@example.com")


def test_without_a_destination_nothing_is_sent(world: LocalWorld) -> None:
    client = boto3.client("sesv2")
    with pytest.raises(client.exceptions.BadRequestException):
        client.send_email(Destination={}, Content={"Raw": {"Data": b"x"}})
    assert len(world.mailbox) == 0


def test_the_page_shows_mail_without_letting_it_act(world: LocalWorld) -> None:
    _send("ada@example.com", "<script>alert(1)</script>", '<script>alert(2)</script>"></iframe>')
    answer = world.request("GET", "/_local/mail", {"Accept": "text/html"})
    assert "<script>" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert answer.text.count("</iframe>") == 1
    assert "default-src 'none'" in (answer.header("content-security-policy") or "")


def test_links_in_mail_can_be_followed(world: LocalWorld) -> None:
    boto3.client("sesv2").send_email(
        Destination={"ToAddresses": ["a@example.com"]},
        Content={
            "Raw": {
                "Data": b"Subject: x\r\n\r\n"
                b"Sign in (http://127.0.0.1:8000/sign-in/abc?x=1&y=2), today.\r\n"
            }
        },
    )
    page = world.request("GET", "/_local/mail", {"Accept": "text/html"}).text
    assert '<a href="http://127.0.0.1:8000/sign-in/abc?x=1&amp;y=2">' in page


def test_a_mailbox_holds_no_base64_of_its_own(world: LocalWorld) -> None:
    text = base64.b64encode(b"not decoded").decode()
    _send("a@example.com", text)
    assert world.mailbox.sent()[0].subject == text
