"""[CLOCK] over HTTP, and the rest of `/_local`."""

import pytest

from infra.local.world import LocalWorld
from tests.local import stand_ins

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


def _now(world: LocalWorld) -> str:
    now: str = world.request("GET", "/_local/clock", JSON).json()["now"]
    return now


def test_the_clock_shows_the_time(world: LocalWorld) -> None:
    shown = world.request("GET", "/_local/clock", JSON).json()
    assert shown == {"now": "2026-01-05T15:00:00Z", "next_moment": "2026-01-06T03:30:00Z"}
    page = world.request("GET", "/_local/clock", {"Accept": "text/html"})
    assert "2026-01-05T15:00:00Z" in page.text
    assert "<form" in page.text


def test_advancing_answers_with_what_happened(world: LocalWorld) -> None:
    answer = world.request("POST", "/_local/clock", JSON, '{"advance": "P2D"}')
    assert answer.status == 200
    happened = answer.json()
    assert happened["from"] == "2026-01-05T15:00:00Z"
    assert happened["now"] == "2026-01-07T15:00:00Z"
    assert happened["invocations"] == {"tests.local.stand_ins.audit": 2}
    assert happened["errors"] == []
    assert happened["mails"] == 0
    assert _now(world) == "2026-01-07T15:00:00Z"


def test_a_moment_to_move_to_may_be_named(world: LocalWorld) -> None:
    answer = world.request("POST", "/_local/clock", JSON, '{"to": "2026-01-31T07:00:00-05:00"}')
    assert answer.json()["now"] == "2026-01-31T12:00:00Z"


def test_a_form_moves_the_clock_and_comes_back_to_the_page(world: LocalWorld) -> None:
    answer = world.request("POST", "/_local/clock", FORM, "advance=P1D")
    assert (answer.status, answer.header("location")) == (303, "/_local/clock")
    assert _now(world) == "2026-01-06T15:00:00Z"
    page = world.request("GET", "/_local/clock", {"Accept": "text/html"})
    assert "tests.local.stand_ins.audit: 1" in page.text


def test_json_that_is_called_a_form_is_understood(world: LocalWorld) -> None:
    headers = {**FORM, "Accept": "*/*"}
    answer = world.request("POST", "/_local/clock", headers, '{"advance": "P1D"}')
    assert answer.json()["now"] == "2026-01-06T15:00:00Z"


def test_going_back_is_422_and_changes_nothing(world: LocalWorld) -> None:
    answer = world.request("POST", "/_local/clock", JSON, '{"to": "2026-01-05T14:59:59Z"}')
    assert answer.status == 422
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json()["code"] == "clock_backwards"
    assert "to" in answer.json()["fields"]
    assert _now(world) == "2026-01-05T15:00:00Z"
    assert stand_ins.seen == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"advance": "P1D", "to": "2027-01-01T00:00:00Z"}',
        '{"advance": 30}',
        '{"advance": "30 days"}',
        '{"advance": "P99Y"}',
        '{"to": "2027-01-01"}',
        '{"to": "soon"}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_understood_is_422_and_moves_nothing(
    world: LocalWorld, body: str | bytes
) -> None:
    answer = world.request("POST", "/_local/clock", JSON, body)
    assert answer.status == 422
    assert answer.json()["code"] == "invalid"
    assert _now(world) == "2026-01-05T15:00:00Z"


def test_another_site_may_not_move_the_clock(world: LocalWorld) -> None:
    headers = {**FORM, "Sec-Fetch-Site": "cross-site"}
    assert world.request("POST", "/_local/clock", headers, "advance=P1D").status == 403
    assert _now(world) == "2026-01-05T15:00:00Z"


def test_an_item_that_never_moves_is_told_as_a_problem(world: LocalWorld) -> None:
    stand_ins.leaving.add("stuck")
    world.client("dynamodb").put_item(
        TableName="tested-accounts",
        Item={
            "pk": {"S": "stuck"},
            "sk": {"S": "x"},
            "due_at": {"S": "2026-01-05T16:00:00Z#x#stuck"},
            "due_shard": {"S": "later#0"},
        },
    )
    answer = world.request("POST", "/_local/clock", JSON, '{"advance": "P1D"}')
    assert answer.status == 500
    assert answer.json()["code"] == "never_quiet"
    assert "stuck" in answer.json()["detail"]


def test_the_index_page_leads_to_everything(world: LocalWorld) -> None:
    for path in ("/_local", "/_local/"):
        page = world.request("GET", path, {"Accept": "text/html"})
        assert page.status == 200
        for link in ("/_local/mail", "/_local/clock", "/shop", "/console"):
            assert f'href="{link}"' in page.text


def test_what_is_not_there_or_not_allowed_says_so(world: LocalWorld) -> None:
    assert world.request("GET", "/_local/nothing").status == 404
    refused = world.request("POST", "/_local/mail")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    refused = world.request("DELETE", "/_local/clock")
    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD, POST")


def test_the_sandbox_is_mounted(world: LocalWorld) -> None:
    assert world.request("GET", "/_local/sandbox/card-setups/unknown").status == 404
    answer = world.request("GET", "/_local/sandbox/v1/charges/none")
    assert answer.status == 401
