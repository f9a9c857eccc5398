"""HTTP requests as API Gateway events of payload 2.0, and answers back."""

import base64
from typing import Any

import pytest

from infra.local.http_api import Routes
from infra.local.template import Function, Route
from infra.local.world import LocalWorld
from tests.local import stand_ins


def _event() -> dict[str, Any]:
    return stand_ins.seen[-1][2]


def test_headers_are_lower_case_and_repeated_ones_joined(world: LocalWorld) -> None:
    world.request("GET", "/things/a", [("X-One", "1"), ("x-one", "2"), ("Accept", "text/html")])
    assert _event()["headers"] == {"x-one": "1,2", "accept": "text/html"}
    assert _event()["version"] == "2.0"


def test_cookies_are_a_list_and_no_header(world: LocalWorld) -> None:
    world.request("GET", "/things/a", {"Cookie": "__Host-s=abc; cart=x=y"})
    assert _event()["cookies"] == ["__Host-s=abc", "cart=x=y"]
    assert "cookie" not in _event()["headers"]


def test_a_query_is_given_raw_and_read(world: LocalWorld) -> None:
    world.request("GET", "/things/a?q=a%20b&tag=1&tag=2&empty=")
    assert _event()["rawQueryString"] == "q=a%20b&tag=1&tag=2&empty="
    assert _event()["queryStringParameters"] == {"q": "a b", "tag": "1,2", "empty": ""}


def test_a_path_parameter_is_read_from_the_path(world: LocalWorld) -> None:
    world.request("GET", "/things/caf%C3%A9")
    assert _event()["pathParameters"] == {"thing": "café"}
    assert _event()["rawPath"] == "/things/café"
    assert _event()["routeKey"] == "ANY /things/{thing}"


def test_the_context_tells_method_path_time_and_source(world: LocalWorld) -> None:
    world.request("PATCH", "/things/a", {"User-Agent": "me"}, source_ip="203.0.113.9")
    context = _event()["requestContext"]
    assert context["http"] == {
        "method": "PATCH",
        "path": "/things/a",
        "protocol": "HTTP/1.1",
        "sourceIp": "203.0.113.9",
        "userAgent": "me",
    }
    assert context["stage"] == "$default"
    assert context["timeEpoch"] == 1767625200000


def test_json_comes_as_text(world: LocalWorld) -> None:
    world.request("POST", "/things/a", {"Content-Type": "application/json"}, '{"a": "é"}')
    assert _event()["body"] == '{"a": "é"}'
    assert _event()["isBase64Encoded"] is False


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "image/png", ""])
def test_a_form_and_what_is_no_text_come_in_base64(world: LocalWorld, kind: str) -> None:
    world.request("POST", "/things/a", {"Content-Type": kind}, b"a=1&b=\xff")
    assert _event()["isBase64Encoded"] is True
    assert base64.b64decode(_event()["body"]) == b"a=1&b=\xff"


def test_json_that_is_not_utf_8_comes_in_base64(world: LocalWorld) -> None:
    world.request("POST", "/things/a", {"Content-Type": "application/json"}, b"\xff")
    assert _event()["isBase64Encoded"] is True


def test_without_a_body_there_is_none_in_the_event(world: LocalWorld) -> None:
    world.request("GET", "/things/a")
    assert "body" not in _event()
    assert "queryStringParameters" not in _event()
    assert "cookies" not in _event()


def test_every_cookie_of_an_answer_is_a_header_of_its_own(world: LocalWorld) -> None:
    answer = world.request("GET", "/things/a")
    assert answer.status == 200
    assert answer.text == "GET Page"
    assert answer.cookies == ["a=1; Path=/", "b=2; Path=/"]
    assert answer.header("Content-Type") == "text/plain"


def test_an_answer_in_base64_is_decoded(world: LocalWorld) -> None:
    answer = world.request("GET", "/picture")
    assert (answer.status, answer.body) == (201, b"\x00\x01\x02\x03")


def test_an_answer_without_a_status_is_its_json(world: LocalWorld) -> None:
    answer = world.request("GET", "/bare")
    assert answer.status == 200
    assert answer.json() == {"hello": "world"}


def test_a_path_or_method_that_nobody_owns_is_404(world: LocalWorld) -> None:
    assert world.request("GET", "/nothing").status == 404
    assert world.request("POST", "/bare").status == 404
    assert world.request("GET", "/things/").status == 404
    assert world.request("GET", "/things/a/b").status == 404
    assert stand_ins.seen == []


def test_any_routes_every_method_to_its_function(world: LocalWorld) -> None:
    for method in ("HEAD", "DELETE", "OPTIONS"):
        assert world.request(method, "/things/a").status == 200
        assert _event()["requestContext"]["http"]["method"] == method


def test_a_literal_segment_wins_over_a_name(world: LocalWorld) -> None:
    assert world.request("GET", "/things/broken").status == 500
    assert world.request("GET", "/things/other").status == 200


def test_a_named_method_wins_over_any() -> None:
    named = Function("named", "a.b", 1, 1, {})
    general = Function("general", "a.b", 1, 1, {})
    routes = Routes([Route("ANY", "/x", general), Route("GET", "/x", named)])
    found = routes.find("GET", "/x")
    assert found is not None
    assert found.function is named
    other = routes.find("PUT", "/x")
    assert other is not None
    assert other.function is general


def test_the_same_route_twice_is_refused() -> None:
    function = Function("f", "a.b", 1, 1, {})
    with pytest.raises(ValueError, match="twice"):
        Routes([Route("GET", "/x/{a}", function), Route("GET", "/x/{b}", function)])


def test_a_handler_that_fails_answers_500_and_is_noted(world: LocalWorld) -> None:
    answer = world.request("GET", "/things/broken")
    assert answer.status == 500
    assert answer.json() == {"message": "Internal Server Error"}
    assert "broken on purpose" in world.errors[-1]


def test_an_answer_that_api_gateway_would_not_take_is_500(world: LocalWorld) -> None:
    assert world.request("GET", "/nonsense").status == 500
    assert "not text" in world.errors[-1]


def test_a_body_beyond_the_limit_is_413_and_reaches_nobody(world: LocalWorld) -> None:
    answer = world.request("POST", "/things/a", {}, b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert stand_ins.seen == []
