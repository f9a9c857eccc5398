"""The stand-in for CardPointe keeps the rules that CardPointe's documents state."""

import base64
import json
from typing import Any

import pytest

from infra.local.cardpointe import REST, TOKENIZE, CardPointe, in_process
from infra.local.sandbox_faults import Fault, Operation
from shared.providers.transport import TransportTimeout
from tests.contract.sandbox_bench import Clock

MERCHANT = "496160873888"
GOOD, DECLINED, TIMES_OUT, PARTIAL = (
    "4788250000121443",
    "4387751111111038",
    "4999006200620062",
    "4387750101010101",
)
PROFILE_FIELDS = {"email": "ada@example.com", "company": "customer-1"}


class Desk:
    """A stand-in with credentials, and the calls that a shop makes."""

    def __init__(self, **options: Any) -> None:
        self.now = Clock()
        self.cardpointe = CardPointe(self.now, "user", "word", MERCHANT, seed=7, **options)

    def ask(
        self, method: str, path: str, content: Any = None, pair: str = "user:word"
    ) -> tuple[int, Any]:
        credentials = base64.b64encode(pair.encode()).decode()
        body = b"" if content is None else json.dumps(content).encode()
        send = in_process(self.cardpointe)
        status, answer = send(method, REST + path, {"Authorization": f"Basic {credentials}"}, body)
        return status, json.loads(answer) if answer.startswith((b"{", b"[")) else answer

    def put(self, path: str, **content: Any) -> dict[str, Any]:
        status, answer = self.ask("PUT", path, {"merchid": MERCHANT, **content})
        assert status == 200
        assert isinstance(answer, dict)
        return answer

    def get(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200
        return answer

    def card(self, number: str = GOOD) -> dict[str, Any]:
        token = self.cardpointe.tokenize(number)
        return self.put("/profile", account=token, expiry="0829", **PROFILE_FIELDS)

    def auth(self, card: dict[str, Any], **content: Any) -> dict[str, Any]:
        profile = f"{card['profileid']}/{card['acctid']}"
        asked = {"amount": "49.00", "orderid": "abc", "capture": "Y", "profile": profile}
        return self.put("/auth", **asked | content)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def code(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["respstat"], answer["respproc"], answer["respcode"]


def test_the_same_request_twice_is_two_payments(desk: Desk) -> None:
    card = desk.card()
    answers = [desk.auth(card, orderid="same") for _ in range(2)]
    assert [code(one) for one in answers] == [("A", "RPCT", "000")] * 2
    assert [one.kept for one in desk.cardpointe.charges()] == [True, True]
    assert len(desk.get(f"/inquireByOrderid/same/{MERCHANT}/1")) == 2


def test_a_payment_is_found_by_its_reference_and_by_its_order_id(desk: Desk) -> None:
    made = desk.auth(desk.card(), userfields=[{"charge_ref": "c-1"}, {"attempt_id": "a-1"}])
    for path in (f"/inquire/{made['retref']}/{MERCHANT}", f"/inquireByOrderid/abc/{MERCHANT}/1"):
        found = desk.get(path)
        assert (found["retref"], found["amount"], found["setlstat"]) == (
            made["retref"],
            "49.00",
            "Queued for Capture",
        )
        assert (found["voidable"], found["refundable"]) == ("Y", "N")
        assert found["userfields"] == [{"charge_ref": "c-1"}, {"attempt_id": "a-1"}]


@pytest.mark.parametrize("path", ["/inquire/123456789012/", "/inquireByOrderid/other/"])
def test_what_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    desk.auth(desk.card())
    assert code(desk.get(f"{path}{MERCHANT}")) == ("C", "PPS", "29")


def test_a_decline_is_recorded_under_its_order_id(desk: Desk) -> None:
    said = desk.auth(desk.card(DECLINED))
    assert code(said) == ("C", "RPCT", "100")
    assert said["amount"] == "0.00"
    found = desk.get(f"/inquireByOrderid/abc/{MERCHANT}/1")
    assert (code(found), found["setlstat"]) == (("C", "RPCT", "100"), "Declined")
    assert [one.state for one in desk.cardpointe.charges()] == ["failed"]


def test_when_the_processor_does_not_answer_the_gateway_says_timed_out(desk: Desk) -> None:
    said = desk.auth(desk.card(TIMES_OUT))
    assert (code(said), said["setlstat"]) == (("B", "PPS", "62"), "Declined")
    assert not desk.cardpointe.charges()[0].kept


def test_a_part_of_the_amount_may_be_approved(desk: Desk) -> None:
    said = desk.auth(desk.card(PARTIAL), amount="6.50")
    assert (code(said), said["amount"]) == (("A", "RPCT", "002"), "5.00")


def test_without_a_decimal_point_an_amount_is_in_minor_units(desk: Desk) -> None:
    assert desk.auth(desk.card(), amount="4900")["amount"] == "49.00"


def test_an_amount_asks_the_test_environment_for_a_code() -> None:
    desk = Desk(amount_driven=True)
    card = desk.card()
    assert code(desk.auth(card, amount="1116.95")) == ("C", "RPCT", "116")
    assert code(desk.auth(card, amount="111695")) == ("C", "RPCT", "116")
    assert code(desk.auth(card, amount="2116.95")) == ("A", "RPCT", "000")


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        ({"orderid": "a" * 20}, "34"),
        ({"amount": "0x"}, "43"),
        ({"amount": "-5.00"}, "43"),
        ({"currency": "EUR"}, "32"),
        ({"merchid": "000000000000"}, "21"),
        ({"profile": "12345678901234567890/1"}, "96"),
        ({"profile": None, "account": "9411111111111111", "expiry": "0829"}, "98"),
        ({"profile": None, "account": "9411111111111111"}, "34"),
        ({"account": "9411111111111111"}, "34"),
    ],
)
def test_the_gateway_refuses_what_is_not_right_and_records_nothing(
    desk: Desk, content: dict[str, Any], refused: str
) -> None:
    assert code(desk.auth(desk.card(), **content)) == ("C", "PPS", refused)
    assert desk.cardpointe.charges() == []


def test_a_parameter_that_no_document_names_is_refused(desk: Desk) -> None:
    content = {"merchid": MERCHANT, "amount": "1.00", "orderId": "abc"}
    status, _ = desk.ask("PUT", "/auth", content)
    assert status == 400


def test_what_is_not_ascii_is_refused(desk: Desk) -> None:
    token = desk.cardpointe.tokenize(GOOD)
    content = {"merchid": MERCHANT, "account": token, "expiry": "0829", "name": "Zoë"}
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"authorization": "Basic dXNlcjp3b3Jk"}
    status, _ = in_process(desk.cardpointe)("PUT", f"{REST}/profile", headers, body)
    assert status == 400


def test_wrong_credentials_get_401_and_do_nothing(desk: Desk) -> None:
    content = {"merchid": MERCHANT, "amount": "1.00"}
    assert desk.ask("PUT", "/auth", content, pair="user:other")[0] == 401
    desk.cardpointe.change_password("user", "new word")
    assert desk.ask("GET", f"/inquireMerchant/{MERCHANT}")[0] == 401


def test_an_unknown_path_gets_404(desk: Desk) -> None:
    assert desk.ask("GET", f"/inquireByOderid/abc/{MERCHANT}")[0] == 404


def test_an_order_id_that_could_be_a_card_number_is_never_found_again(desk: Desk) -> None:
    desk.auth(desk.card(), orderid="4242424242424242")
    found = desk.get(f"/inquireByOrderid/4242424242424242/{MERCHANT}/1")
    assert code(found) == ("C", "PPS", "29")


# Settlement


def test_a_payment_can_be_voided_until_the_batch_is_sent_off(desk: Desk) -> None:
    made = desk.auth(desk.card())
    said = desk.put("/void", retref=made["retref"])
    assert (said["respstat"], said["authcode"]) == ("A", "REVERS")
    found = desk.get(f"/inquire/{made['retref']}/{MERCHANT}")
    assert (found["setlstat"], found["respstat"]) == ("Voided", "A")
    assert code(desk.put("/void", retref=made["retref"])) == ("C", "PPS", "25")
    assert not desk.cardpointe.charges()[0].kept


def test_a_part_of_a_payment_cannot_be_voided(desk: Desk) -> None:
    made = desk.auth(desk.card())
    said = desk.put("/void", retref=made["retref"], amount="10.00")
    assert code(said) == ("C", "PPS", "43")


def test_a_payment_that_was_sent_off_can_neither_be_voided_nor_yet_refunded(desk: Desk) -> None:
    made = desk.auth(desk.card())
    assert code(desk.put("/refund", retref=made["retref"])) == ("C", "PPS", "28")
    desk.now.at = desk.now.at.replace(hour=2, minute=30, day=1, month=2)
    assert code(desk.put("/void", retref=made["retref"])) == ("C", "PPS", "27")
    assert code(desk.put("/refund", retref=made["retref"])) == ("C", "PPS", "28")
    found = desk.get(f"/inquire/{made['retref']}/{MERCHANT}")
    assert (found["voidable"], found["refundable"]) == ("N", "N")


def test_a_settled_payment_is_refunded_never_beyond_what_it_was(desk: Desk) -> None:
    made = desk.auth(desk.card())
    desk.now.at = desk.now.at.replace(hour=12, day=1, month=2)
    retref = made["retref"]
    assert desk.get(f"/inquire/{retref}/{MERCHANT}")["setlstat"] == "Accepted"
    first = desk.put("/refund", retref=retref, amount="40.00", orderid="back")
    assert (first["respstat"], first["amount"]) == ("A", "40.00")
    assert first["retref"] != retref
    assert desk.get(f"/inquireByOrderid/back/{MERCHANT}/1")["retref"] == first["retref"]
    assert code(desk.put("/refund", retref=retref, amount="9.01")) == ("C", "PPS", "43")
    assert desk.put("/refund", retref=retref)["amount"] == "9.00"
    assert [one.refunds for one in desk.cardpointe.charges()] == [(4_000, 900)]


def test_a_refund_twice_is_two_refunds(desk: Desk) -> None:
    made = desk.auth(desk.card())
    desk.now.at = desk.now.at.replace(hour=12, day=1, month=2)
    for _ in range(2):
        desk.put("/refund", retref=made["retref"], amount="10.00", orderid="same")
    assert [one.refunds for one in desk.cardpointe.charges()] == [(1_000, 1_000)]


def test_a_void_by_order_id_passes_over_what_was_declined(desk: Desk) -> None:
    desk.auth(desk.card(DECLINED), orderid="abc")
    assert code(desk.put("/voidByOrderId", orderid="abc")) == ("C", "PPS", "29")
    desk.auth(desk.card(), orderid="abc")
    assert desk.put("/voidByOrderId", orderid="abc")["respstat"] == "A"
    assert [one.kept for one in desk.cardpointe.charges()] == [False, False]


# Profiles


def test_a_profile_holds_several_cards(desk: Desk) -> None:
    first = desk.card()
    token = desk.cardpointe.tokenize("5454545454545454")
    second = desk.put("/profile", profile=first["profileid"], account=token, expiry="0130")
    assert (second["profileid"], second["acctid"]) == (first["profileid"], "2")
    assert second["accttype"] == "MC"
    listed = desk.get(f"/profile/{first['profileid']}//{MERCHANT}")
    assert [one["acctid"] for one in listed] == ["1", "2"]
    (one,) = desk.get(f"/profile/{first['profileid']}/2/{MERCHANT}")
    assert (one["token"], one["expiry"]) == (token, "0130")


def test_the_same_profile_is_not_made_twice(desk: Desk) -> None:
    assert desk.card()["profileid"] == desk.card()["profileid"]


def test_a_deleted_card_is_gone(desk: Desk) -> None:
    card = desk.card()
    path = f"/profile/{card['profileid']}/{card['acctid']}/{MERCHANT}"
    codes = [code(desk.ask("DELETE", path)[1]) for _ in range(2)]
    assert codes == [("A", "PPS", "08"), ("C", "PPS", "96")]
    assert code(desk.get(path)[0]) == ("C", "PPS", "96")
    assert code(desk.auth(card)) == ("C", "PPS", "96")


def test_a_card_is_checked_with_an_amount_of_0_and_no_money(desk: Desk) -> None:
    tokens = [desk.cardpointe.tokenize(number) for number in (GOOD, DECLINED)]
    said = [
        desk.put("/auth", amount="0", account=token, expiry="0829", ecomind="E") for token in tokens
    ]
    assert [one["respstat"] for one in said] == ["A", "C"]
    assert said[0]["setlstat"] == "Zero Amount"
    assert desk.cardpointe.charges() == []


def test_a_saved_card_can_go_bad(desk: Desk) -> None:
    card = desk.card()
    desk.cardpointe.let_card_behave_as(f"{card['profileid']}/{card['acctid']}", "4000000000009987")
    said = desk.auth(card)
    assert (code(said), said["declineCategory"]) == (("C", "RPCT", "208"), "1")


def test_the_merchant_can_be_asked_about_and_disabled(desk: Desk) -> None:
    assert desk.get(f"/inquireMerchant/{MERCHANT}")["enabled"] is True
    assert desk.ask("GET", "/inquireMerchant/1")[0] == 400
    desk.cardpointe.disable_merchant()
    assert desk.get(f"/inquireMerchant/{MERCHANT}")["enabled"] is False
    assert code(desk.auth(desk.card())) == ("C", "PPS", "97")


# Misbehaviour


@pytest.mark.parametrize(
    ("fault", "made"), [(Fault.TIMEOUT_BEFORE, 0), (Fault.TIMEOUT_AFTER, 1), (Fault.LATE, 0)]
)
def test_an_answer_may_be_lost_before_or_after_it_happened(
    desk: Desk, fault: Fault, made: int
) -> None:
    card = desk.card()
    desk.cardpointe.misbehave(Operation.CHARGE, fault, seconds=90)
    with pytest.raises(TransportTimeout):
        desk.auth(card)
    assert len(desk.cardpointe.charges()) == made


def test_a_late_payment_arrives_after_its_sender_gave_up(desk: Desk) -> None:
    card = desk.card()
    desk.cardpointe.misbehave(Operation.CHARGE, Fault.LATE, seconds=90)
    with pytest.raises(TransportTimeout):
        desk.auth(card)
    path = f"/inquireByOrderid/abc/{MERCHANT}/1"
    assert code(desk.get(path)) == ("C", "PPS", "29")
    desk.now.at = desk.now.at.replace(minute=2)
    assert desk.get(path)["respstat"] == "A"
    assert [one.kept for one in desk.cardpointe.charges()] == [True]


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [(Fault.ERROR_BEFORE, 500, 0), (Fault.ERROR_AFTER, 500, 1), (Fault.RATE_LIMIT, 429, 0)],
)
def test_an_error_may_hide_what_happened(desk: Desk, fault: Fault, status: int, made: int) -> None:
    card = desk.card()
    desk.cardpointe.misbehave(Operation.ANY, fault)
    content = {
        "merchid": MERCHANT,
        "amount": "49.00",
        "profile": f"{card['profileid']}/{card['acctid']}",
        "capture": "Y",
    }
    assert desk.ask("PUT", "/auth", content)[0] == status
    assert len(desk.cardpointe.charges()) == made


def test_a_decline_can_be_forced_on_one_card(desk: Desk) -> None:
    card, other = desk.card(), desk.card("5454545454545454")
    profile = f"{card['profileid']}/{card['acctid']}"
    desk.cardpointe.misbehave(Operation.CHARGE, Fault.DECLINE, card=profile, decline_code="116")
    assert desk.auth(other)["respstat"] == "A"
    assert code(desk.auth(card)) == ("C", "RPCT", "116")
    assert desk.auth(card)["respstat"] == "A"
    with pytest.raises(ValueError, match="decline_code"):
        desk.cardpointe.misbehave(Operation.CHARGE, Fault.DECLINE, decline_code="no such")


# The card field


def page(desk: Desk, path: str) -> tuple[int, dict[str, str], str]:
    status, headers, body = desk.cardpointe.handle("GET", path, {}, b"")
    return status, headers, body.decode()


def test_the_card_field_shows_what_its_address_asks_for(desk: Desk) -> None:
    status, _, plain = page(desk, "/itoke/ajax-tokenizer.html")
    assert status == 200
    assert 'id="ccnumfield"' in plain
    assert 'id="cccvvfield"' not in plain
    _, _, more = page(desk, "/itoke/ajax-tokenizer.html?usecvv=true&cvvtitle=Security%20code")
    assert 'aria-label="Security code"' in more


def test_the_card_field_refuses_a_parameter_that_no_document_names(desk: Desk) -> None:
    assert page(desk, "/itoke/ajax-tokenizer.html?autosubmit=true")[0] == 400


def tokenize(desk: Desk, number: str) -> dict[str, Any]:
    body = json.dumps({"account": number}).encode()
    status, _, answer = desk.cardpointe.handle("POST", TOKENIZE, {}, body)
    assert status == 200
    found: dict[str, Any] = json.loads(answer)
    return found


def test_a_token_tells_the_brand_and_the_last_four_digits_and_no_more(desk: Desk) -> None:
    found = tokenize(desk, "4788 2500 0012 1443")
    token = found["token"]
    assert found["errorcode"] == 0
    assert (token[:3], token[-4:], len(token)) == ("947", "1443", 16)
    assert GOOD not in json.dumps(found)
    assert tokenize(desk, GOOD)["token"] == token


@pytest.mark.parametrize("number", ["4788250000121444", "4111", "not a number", ""])
def test_what_is_no_card_number_has_no_token(desk: Desk, number: str) -> None:
    found = tokenize(desk, number)
    assert found["errorcode"] != 0
    assert found["token"] == ""
