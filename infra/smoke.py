"""Looks at a deployment from outside: `python -m infra.smoke https://portal.example.com`.

It asks what anybody could ask, changes nothing that lasts, and says of each thing whether it is as
it should be; the exit code is 0 when all is. Signing in is tried with addresses of SES's mailbox
simulator, which take every email and count for nothing. `--known` is an address that the deployment
knows, `--provider` a payment provider that is set up: what needs them is left out without.
`--local` is for `make run`, which is no deployment: it has what a deployment must not have.
"""

import argparse
import http.client
import json
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

OPENAPI = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"

REQUEST_TIMEOUT_SECONDS = 30.0
"""API Gateway itself gives up after 30."""
ALL_TIMEOUT_SECONDS = 240.0
"""Checks that have not begun by then fail."""
MAX_BODY_BYTES = 5_000_000

HTML = "text/html"
JSON = "application/json"
PROBLEM = "application/problem+json"

PAGES = ("/", "/shop", "/cart", "/schedule", "/contact", "/sign-in", "/console/sign-in")
"""What anybody may open."""
CLOSED = {"/account": "/sign-in", "/console": "/console/sign-in"}
"""What asks to sign in, and where."""
LOCAL = (
    "/_local",
    "/_local/",
    "/_local/mail",
    "/_local/clock",
    "/_local/sandbox",
    "/_local/stripe",
)
"""What only one machine has ([LOCALONLY])."""
NOBODY = "/no-such-page-of-punchcard"

HEADERS = {
    "content-security-policy": ("default-src 'none'", "frame-ancestors", "base-uri 'none'"),
    "x-content-type-options": ("nosniff",),
    "referrer-policy": ("origin",),
    "permissions-policy": ("camera=()",),
    "cross-origin-opener-policy": ("same-origin",),
}
"""What every page's headers have to say."""
UNSAFE = ("unsafe-inline", "unsafe-eval", "data:", "*")
"""What a content security policy must not allow."""
OLDEST_TLS = ("TLSv1.2", "TLSv1.3")


class Wrong(Exception):
    """What is not as it should be, in a sentence."""


class LeftOut(Exception):
    """Why a check could not be made, in a sentence."""


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> dict[str, object]:
        try:
            found = json.loads(self.body)
        except ValueError:
            raise Wrong(f"the body is no JSON: {self.body[:60]!r}") from None
        expect(isinstance(found, dict), "the body is no JSON object")
        return dict(found)


@dataclass
class Site:
    """The address that is looked at. No redirect is followed, no cookie kept."""

    url: str
    known: str = ""
    provider: str = ""
    is_local: bool = False
    simulator: str = field(default_factory=lambda: secrets.token_hex(6))
    """What makes this run's addresses its own, so that no other run's limits count."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise Wrong(f"{self.url} is not an address like https://portal.example.com")
        self._host, self._port, self.is_secure = (
            parts.hostname,
            parts.port,
            parts.scheme == "https",
        )

    def _connection(self) -> http.client.HTTPConnection:
        if not self.is_secure:
            return http.client.HTTPConnection(
                self._host, self._port, timeout=REQUEST_TIMEOUT_SECONDS
            )
        return http.client.HTTPSConnection(
            self._host,
            self._port,
            timeout=REQUEST_TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )

    def ask(
        self, method: str, path: str, accept: str = JSON, body: str | None = None, **headers: str
    ) -> Answer:
        """One request. `Wrong` when no answer comes in time."""
        sent = {"accept": accept, "user-agent": "punchcard-smoke"}
        if body is not None:
            sent["content-type"] = JSON
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self._connection()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            content = answer.read(MAX_BODY_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise Wrong(f"{method} {path}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        return Answer(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            cookies=tuple(answer.headers.get_all("set-cookie", [])),
            body=content,
        )

    def tls(self) -> str:
        """The version of TLS that is spoken; the certificate is checked by the way."""
        connection = self._connection()
        try:
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket)
            return connection.sock.version() or ""
        except OSError as error:
            raise Wrong(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()


# --- what is looked at -----------------------------------------------------------------------


def status(answer: Answer, *wanted: int) -> None:
    listed = " or ".join(str(one) for one in wanted)
    expect(answer.status in wanted, f"answers {answer.status}, not {listed}")


def as_it_should_be(site: Site, answer: Answer) -> None:
    """The headers and cookies of any answer of the portal or the console."""
    for name, parts in HEADERS.items():
        said = answer.headers.get(name, "")
        expect(all(part in said for part in parts), f"{name} is {said!r}")
    policy = answer.headers["content-security-policy"]
    unsafe = [part for part in UNSAFE if part in policy]
    expect(not unsafe, f"the content security policy allows {', '.join(unsafe)}")
    if site.is_secure:
        said = answer.headers.get("strict-transport-security", "")
        expect("max-age" in said, "no Strict-Transport-Security: is PublicUrl an https address?")
    for one in answer.cookies:
        name, _, attributes = one.partition("=")
        expect(name.startswith("__Host-"), f"the cookie {name} has no __Host-")
        for attribute in ("Secure", "HttpOnly", "SameSite"):
            expect(attribute in attributes, f"the cookie {name} is not {attribute}")


def encrypted(site: Site) -> None:
    if not site.is_secure:
        if site.is_local:
            raise LeftOut("make run speaks http, on this machine alone")
        raise Wrong("the address is not https")
    version = site.tls()
    expect(version in OLDEST_TLS, f"speaks {version}")


def page(path: str) -> Callable[[Site], None]:
    def look(site: Site) -> None:
        people = site.ask("GET", path, HTML)
        status(people, 200, 303)
        as_it_should_be(site, people)
        if people.status == 200:
            expect(people.kind == HTML, f"people get {people.kind}")
            expect(b"<main" in people.body and b"lang=" in people.body, "this is no page of ours")
        programs = site.ask("GET", path)
        status(programs, 200)
        as_it_should_be(site, programs)
        expect(programs.kind == JSON, f"programs get {programs.kind}")
        programs.json()

    return look


def closed(path: str, door: str) -> Callable[[Site], None]:
    def look(site: Site) -> None:
        people = site.ask("GET", path, HTML)
        status(people, 303)
        leads_to = people.headers.get("location", "")
        expect(leads_to.startswith(door), f"leads to {leads_to}")
        programs = site.ask("GET", path)
        status(programs, 401)
        expect(programs.kind == PROBLEM, f"programs get {programs.kind}")

    return look


def styled(site: Site) -> None:
    shop = site.ask("GET", "/shop", HTML).body.decode(errors="replace")
    found = {
        part.partition('"')[0] for part in shop.split('href="')[1:] if part.startswith("/assets/")
    }
    expect(bool(found), "the page names no stylesheet")
    for path in sorted(found):
        asset = site.ask("GET", path, "*/*")
        status(asset, 200)
        expect(bool(asset.body), f"{path} is empty")
        expect(asset.headers.get("x-content-type-options") == "nosniff", f"{path} may be sniffed")


def head(site: Site) -> None:
    answer = site.ask("HEAD", "/shop", HTML)
    status(answer, 200)
    expect(answer.kind == HTML, f"HEAD says {answer.kind}, GET a page")
    as_it_should_be(site, answer)


def nowhere(site: Site) -> None:
    people, programs = site.ask("GET", NOBODY, HTML), site.ask("GET", NOBODY)
    for answer, kind in ((people, HTML), (programs, PROBLEM)):
        status(answer, 404)
        expect(answer.kind == kind, f"answers {answer.kind}, not {kind}: is it ours at all?")
        as_it_should_be(site, answer)
    expect("code" in programs.json(), "the problem has no code")


def wrong_method(site: Site) -> None:
    answer = site.ask("DELETE", "/shop")
    status(answer, 405)
    allowed = answer.headers.get("allow", "")
    expect("GET" in allowed and "HEAD" in allowed, f"Allow is {allowed!r}")


def from_elsewhere(site: Site) -> None:
    headers = {"Sec_Fetch_Site": "cross-site", "Origin": "https://elsewhere.example"}
    status(site.ask("POST", "/cart/location", JSON, '{"location": "x"}', **headers), 403)


def bad_input(site: Site) -> None:
    answer = site.ask("POST", "/sign-in", JSON, '{"email": "not an address"}')
    status(answer, 422)
    expect(answer.kind == PROBLEM, f"answers {answer.kind}")
    expect("email" in json.dumps(answer.json()), "the field is not named")


def same_for_all(site: Site) -> None:
    """[ENUM]"""
    stranger = f"success+{site.simulator}@simulator.amazonses.com"
    other = site.known or f"success+{site.simulator}-2@simulator.amazonses.com"
    first, second = (_asked_for_link(site, email) for email in (stranger, other))
    expect(first == second, f"the answers differ: {first} and {second}")
    if not site.known:
        raise LeftOut("both alike for two unknown addresses; name a known one with --known")


def _asked_for_link(site: Site, email: str) -> tuple[object, ...]:
    """The answer, without what belongs to the address or the moment."""
    answer = site.ask("POST", "/sign-in", JSON, json.dumps({"email": email}))
    status(answer, 202)
    as_it_should_be(site, answer)
    body = {**answer.json(), "sent_to": ""}
    cookies = [
        (one.partition("=")[0], one.partition(";")[2].partition("xpires")[0])
        for one in answer.cookies
    ]
    return answer.status, sorted(answer.headers), body, cookies


def unsigned_webhook(site: Site) -> None:
    if not site.provider:
        raise LeftOut("name a provider that is set up with --provider")
    headers = {"webhook_signature": "v1,AAAA", "stripe_signature": "t=1,v1=00"}
    answer = site.ask("POST", f"/webhooks/{site.provider}", JSON, '{"id": "evt_smoke"}', **headers)
    status(answer, 400)
    expect(answer.json().get("code") == "invalid_signature", f"says {answer.body[:80]!r}")


def unknown_provider(site: Site) -> None:
    status(site.ask("POST", "/webhooks/nobody", JSON, "{}"), 404)


def described(site: Site) -> None:
    answer = site.ask("GET", "/openapi.json")
    status(answer, 200)
    ours = json.loads(OPENAPI.read_text())
    expect(answer.json() == ours, "it is not this checkout's: another version is deployed")


def nothing_local(site: Site) -> None:
    """[LOCALONLY]"""
    if site.is_local:
        raise LeftOut("this is make run")
    found = [path for path in LOCAL if site.ask("GET", path).status != 404]
    expect(not found, f"{', '.join(found)} can be reached")
    status(site.ask("POST", "/_local/clock", JSON, "{}"), 404)


def checks() -> Iterator[tuple[str, Callable[[Site], None]]]:
    """Each check's name, and what makes it: `Wrong` when it fails."""
    yield "encrypted, with a certificate that holds", encrypted
    for path in PAGES:
        yield f"{path} for people and for programs", page(path)
    for path, door in CLOSED.items():
        yield f"{path} asks to sign in", closed(path, door)
    yield "the stylesheet is there", styled
    yield "HEAD answers as GET does", head
    yield "a wrong address is 404, as a page and as JSON", nowhere
    yield "a wrong method is 405 and says which are right", wrong_method
    yield "a change from another site's page is refused", from_elsewhere
    yield "bad input is 422 and names the field", bad_input
    yield "sign-in says the same to known and unknown", same_for_all
    yield "a webhook whose signature is wrong is 400", unsigned_webhook
    yield "a webhook of an unknown provider is 404", unknown_provider
    yield "/openapi.json is this checkout's", described
    yield "nothing of _local is there", nothing_local


# --- the command -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """`holds` is None for what was left out; `why` says why not, or why it was left out."""

    name: str
    holds: bool | None
    why: str
    seconds: float


def run(site: Site, seconds: Callable[[], float] = time.monotonic) -> Iterator[Result]:
    """Make all checks, one after the other, each result as it comes."""
    ends = seconds() + ALL_TIMEOUT_SECONDS
    for name, check in checks():
        began = seconds()
        holds: bool | None = True
        why = ""
        try:
            expect(began < ends, f"not begun within {ALL_TIMEOUT_SECONDS:.0f} seconds of the first")
            check(site)
        except Wrong as wrong:
            holds, why = False, str(wrong)
        except LeftOut as left_out:
            holds, why = None, str(left_out)
        yield Result(name, holds, why, seconds() - began)


WORDS = {True: "ok", False: "FAILED", None: "left out"}


def told(results: Iterable[Result]) -> Iterator[str]:
    """The table, a line at a time."""
    for one in results:
        line = f"{WORDS[one.holds]:9} {one.seconds * 1000:6.0f} ms  {one.name}"
        yield f"{line}: {one.why}" if one.why else line


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is as it should be, 1 when something is not, 2 when nothing was asked."""
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description=__doc__)
    parser.add_argument("url", metavar="https://…")
    parser.add_argument("--known", default="", metavar="ADDRESS", help="a customer's email address")
    parser.add_argument("--provider", default="", metavar="NAME", help="one that is set up")
    parser.add_argument("--local", action="store_true", help="the address is that of make run")
    given = parser.parse_args(arguments)
    try:
        site = Site(given.url.rstrip("/"), given.known, given.provider, given.local)
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 2
    results = []
    for result in run(site):
        results.append(result)
        print(*told([result]), flush=True)
    failed = sum(one.holds is False for one in results)
    left_out = sum(one.holds is None for one in results)
    print(f"{len(results)} checks of {site.url}: {failed} failed, {left_out} left out.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
