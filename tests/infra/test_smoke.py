"""The smoke test passes what is as it should be, and each thing that is not fails its check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from infra import publish, smoke
from infra.local.serve import Running

OWNER = "you@example.com"
Bend = Callable[[str, str, smoke.Answer], smoke.Answer]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """What `make run` serves, with what `--example` publishes."""
    running = Running(port=0, demo=False)
    publish.publish(publish.Published.model_validate(publish.EXAMPLE))
    yield running.address
    running.stop()


@dataclass
class Bent(smoke.Site):
    """A site whose answers are not as they should be."""

    bend: Bend = lambda _method, _path, answer: answer

    def ask(
        self,
        method: str,
        path: str,
        accept: str = smoke.JSON,
        body: str | None = None,
        **headers: str,
    ) -> smoke.Answer:
        return self.bend(method, path, super().ask(method, path, accept, body, **headers))


def without(header: str) -> Bend:
    return lambda _method, _path, answer: replace(
        answer, headers={name: value for name, value in answer.headers.items() if name != header}
    )


def at(wanted: str, **changes: object) -> Bend:
    return lambda method, path, answer: (
        replace(answer, **changes)  # type: ignore[arg-type]
        if f"{method} {path}" == wanted
        else answer
    )


def told_apart(_method: str, path: str, answer: smoke.Answer) -> smoke.Answer:
    if path == "/sign-in" and OWNER.encode() in answer.body:
        return replace(answer, headers={**answer.headers, "x-known": "yes"})
    return answer


def lax_cookies(_method: str, _path: str, answer: smoke.Answer) -> smoke.Answer:
    return replace(answer, cookies=tuple(one.replace("Secure", "") for one in answer.cookies))


def scripts_allowed(_method: str, _path: str, answer: smoke.Answer) -> smoke.Answer:
    policy = answer.headers.get("content-security-policy", "")
    looser = policy.replace("script-src 'self'", "script-src 'unsafe-inline'")
    return replace(answer, headers={**answer.headers, "content-security-policy": looser})


def test_what_make_run_serves_is_as_it_should_be_when_it_is_said_that_it_is_local(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [address, "--local", "--provider", "sandbox", "--known", OWNER]
    code = smoke.main(asked)
    told = capsys.readouterr().out
    assert code == 0, told
    assert told.splitlines()[-1].endswith(": 0 failed, 2 left out.")


def test_what_make_run_serves_is_no_deployment(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = smoke.main([address, "--provider", "sandbox", "--known", OWNER])
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAILED")]
    assert code == 1
    assert len(told) == 2, told
    assert "the address is not https" in told[0]
    assert "/_local/mail, /_local/clock" in told[1]


@pytest.mark.parametrize(
    ("bend", "expected"),
    [
        (without("content-security-policy"), "/shop for people and for programs"),
        (without("x-content-type-options"), "HEAD answers as GET does"),
        (scripts_allowed, "/sign-in for people and for programs"),
        (lax_cookies, "sign-in says the same to known and unknown"),
        (told_apart, "sign-in says the same to known and unknown"),
        (at("GET /contact", status=500), "/contact for people and for programs"),
        (at("GET /account", status=200), "/account asks to sign in"),
        (
            at(f"GET {smoke.NOBODY}", body=b"{}", status=200),
            "a wrong address is 404, as a page and as JSON",
        ),
        (at("DELETE /shop", status=404), "a wrong method is 405 and says which are right"),
        (at("POST /cart/location", status=200), "a change from another site's page is refused"),
        (at("POST /webhooks/sandbox", status=200), "a webhook whose signature is wrong is 400"),
        (at("POST /webhooks/nobody", status=400), "a webhook of an unknown provider is 404"),
        (at("GET /openapi.json", body=b'{"openapi": "3.1.0"}'), "/openapi.json is this checkout's"),
    ],
)
def test_each_thing_that_is_not_as_it_should_be_fails_its_check(
    address: str, bend: Bend, expected: str
) -> None:
    check = dict(smoke.checks())[expected]
    check(smoke.Site(address, OWNER, "sandbox", is_local=True))
    with pytest.raises(smoke.Wrong):
        check(Bent(address, OWNER, "sandbox", is_local=True, bend=bend))


def test_checks_that_did_not_begin_in_time_fail(address: str) -> None:
    moments = iter([0.0, *(smoke.ALL_TIMEOUT_SECONDS + n for n in range(1000))])
    results = list(smoke.run(smoke.Site(address, is_local=True), lambda: next(moments)))
    assert {one.holds for one in results} == {False}


def test_nobody_there_fails_and_does_not_break(capsys: pytest.CaptureFixture[str]) -> None:
    # Port 9 of this machine: nothing listens there.
    assert smoke.main(["http://127.0.0.1:9"]) == 1
    assert "ConnectionRefusedError" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["portal.example.com", "https://", "https://a.example/shop"])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    assert smoke.main([wrong]) == 2
