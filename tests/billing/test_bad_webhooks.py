"""Ten thousand webhooks that nobody signed, each made from a genuine one, and bad by construction:
none gets in, none brings anything down, and nothing is left of them ([VERIFY])."""

import base64
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Request, Response, event_of
from infra.local.sandbox_webhooks import Webhooks
from infra.local.world import LocalWorld
from shared.store import accounts
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.billing.test_webhooks import PATH
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    buy,
    customer_with_card,
    go_to,
    new_card,
    subscribed,
)

SEED = 20_260_131
MUTANTS = 10_000
AT_LEAST_OF_EACH = 150
"""How many mutants of each kind there are, give or take: none is forgotten."""

HEADER = "sandbox-signature"
TOLERANCE_SECONDS = 300
LARGE_BYTES = 256 * 1024 + 1
HUGE_BYTES = 10 * 1024 * 1024 + 1
"""More than we read, and more than API Gateway takes in."""


@dataclass(frozen=True)
class Post:
    """One request. `event` is changed after API Gateway's part, before the function's."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    method: str = "POST"
    path: str = PATH
    event: tuple[tuple[str, Any], ...] = ()

    @property
    def signature(self) -> str:
        (found,) = [value for name, value in self.headers if name == HEADER]
        return found

    def signed_as(self, *signatures: str, name: str = HEADER) -> "Post":
        """The same with other signature headers."""
        others = tuple(one for one in self.headers if one[0] != HEADER)
        return replace(self, headers=(*others, *((name, one) for one in signatures)))

    def send(self, world: LocalWorld) -> Response:
        if not self.event:
            return world.request(self.method, self.path, list(self.headers), self.body)
        asked = Request(self.method, self.path, self.headers, self.body)
        match = world.routes.find(self.method, self.path)
        assert match is not None
        event = {**event_of(asked, match, world.now(), "mutant"), **dict(self.event)}
        answer = world.invoke(match.function, event)
        return Response(answer["statusCode"])


@dataclass
class Forger:
    """Makes bad ones of good ones. It holds the provider's secret only to sign what is too old or
    too new; everything else is made by whoever overheard genuine events."""

    world: LocalWorld
    genuine: list[Post]
    rng: random.Random

    def one(self) -> Post:
        return self.rng.choice(self.genuine)

    def two(self) -> tuple[Post, Post]:
        """Two different events."""
        first, second = self.rng.sample(self.genuine, 2)
        return first, second

    def kinds(self) -> dict[str, Callable[[], Post]]:
        return {
            name.removeprefix("make_"): getattr(self, name)
            for name in sorted(dir(self))
            if name.startswith("make_")
        }

    # The body

    def make_body_with_a_flipped_bit(self) -> Post:
        good = self.one()
        body = bytearray(good.body)
        for at in self.rng.sample(range(len(body)), self.rng.randint(1, 3)):
            body[at] ^= 1 << self.rng.randrange(8)
        return replace(good, body=bytes(body))

    def make_body_cut_short(self) -> Post:
        good = self.one()
        return replace(good, body=good.body[: self.rng.randrange(len(good.body))])

    def make_body_without_its_beginning(self) -> Post:
        good = self.one()
        return replace(good, body=good.body[self.rng.randrange(1, len(good.body)) :])

    def make_body_with_something_behind(self) -> Post:
        good = self.one()
        more = self.rng.choice((b" ", b"\n", b"\r\n", b"\0", b"}", b"\xef\xbb\xbf", good.body))
        return replace(good, body=good.body + more)

    def make_body_with_something_before(self) -> Post:
        good = self.one()
        less = self.rng.choice((b" ", b"\n", b"\0", b"{", b"\xef\xbb\xbf", b"1."))
        return replace(good, body=less + good.body)

    def make_body_in_another_order(self) -> Post:
        """The parts between commas, one swapped with another."""
        good = self.one()
        parts = good.body.split(b",")
        while True:
            at, other = self.rng.sample(range(len(parts)), 2)
            if parts[at] != parts[other]:
                parts[at], parts[other] = parts[other], parts[at]
                return replace(good, body=b",".join(parts))

    def make_body_with_a_part_twice(self) -> Post:
        good = self.one()
        parts = good.body.split(b",")
        at = self.rng.randrange(len(parts))
        return replace(good, body=b",".join([*parts[:at], parts[at], *parts[at:]]))

    def make_body_in_another_case(self) -> Post:
        good = self.one()
        return replace(good, body=self.rng.choice((good.body.upper(), good.body.swapcase())))

    def make_body_of_nonsense(self) -> Post:
        return replace(self.one(), body=self.rng.randbytes(self.rng.randrange(200)))

    def make_body_that_is_no_utf_8(self) -> Post:
        good = self.one()
        at = self.rng.randrange(len(good.body))
        broken = self.rng.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88"))
        return replace(good, body=good.body[:at] + broken + good.body[at:])

    def make_body_of_another_event(self) -> Post:
        good, other = self.two()
        return replace(good, body=other.body)

    def make_body_that_says_more_money(self) -> Post:
        good = self.one()
        amount = b'"amount":%d' % self.rng.randrange(10**6, 10**8)
        before, _, after = good.body.partition(b'"status"')
        return replace(good, body=before + amount + b',"status"' + after)

    # The header

    def make_header_with_a_flipped_bit(self) -> Post:
        good = self.one()
        text = bytearray(good.signature.encode())
        at = self.rng.randrange(len(text))
        text[at] ^= 1 << self.rng.randrange(8)
        return good.signed_as(text.decode("latin-1"))

    def make_header_with_a_character_too_many(self) -> Post:
        """Not at an end, where white space is nobody's business."""
        good = self.one()
        text = good.signature
        at = self.rng.randrange(1, len(text))
        added = self.rng.choice("0fF =;.+-\u00e9\t\x00\u0661")
        return good.signed_as(text[:at] + added + text[at:])

    def make_header_cut_short(self) -> Post:
        good = self.one()
        return good.signed_as(good.signature[: self.rng.randrange(len(good.signature))])

    def make_header_in_another_order(self) -> Post:
        """The digits of the signature, or those of the moment."""
        good = self.one()
        moment, digest = parts_of(good.signature)
        while True:
            shuffled = [self.rng.sample(one, len(one)) for one in (moment, digest)]
            text = f"t={''.join(shuffled[0])},v1={''.join(shuffled[1])}"
            if text != good.signature:
                return good.signed_as(text)

    def make_header_in_another_case(self) -> Post:
        good = self.one()
        moment, digest = parts_of(good.signature)
        forms = (f"T={moment},v1={digest}", f"t={moment},V1={digest}", good.signature.upper())
        return good.signed_as(self.rng.choice(forms))

    def make_header_of_another_scheme(self) -> Post:
        good = self.one()
        moment, digest = parts_of(good.signature)
        scheme = self.rng.choice(("v0", "v2", "v11", "sha256", "", "v1[]", "alg=none,v2"))
        return good.signed_as(f"t={moment},{scheme}={digest}")

    def make_header_with_two_moments(self) -> Post:
        good, other = self.two()
        theirs = parts_of(other.signature)[0]
        return good.signed_as(f"t={theirs},{good.signature}")

    def make_header_with_another_moment(self) -> Post:
        """The signature is genuine, for another second."""
        good = self.one()
        moment, digest = parts_of(good.signature)
        apart = self.rng.choice((-1, 1)) * self.rng.randrange(1, 10**6)
        return good.signed_as(f"t={int(moment) + apart},v1={digest}")

    def make_header_with_an_impossible_moment(self) -> Post:
        good = self.one()
        _, digest = parts_of(good.signature)
        moments = ("", "-1", "0", "1e9", "NaN", "9" * 12, "9" * 400, "0x6", "\u0661", "now")
        return good.signed_as(f"t={self.rng.choice(moments)},v1={digest}")

    def make_header_with_forty_signatures(self) -> Post:
        good = self.one()
        moment, _ = parts_of(good.signature)
        made = ",".join(f"v1={self.rng.getrandbits(256):064x}" for _ in range(40))
        return good.signed_as(f"t={moment},{made}")

    def make_header_without_end(self) -> Post:
        good = self.one()
        return good.signed_as(good.signature + ",v0=" + "0" * self.rng.randrange(4096, 20_000))

    def make_header_twice(self) -> Post:
        """API Gateway joins them, and two moments are one too many."""
        good, other = self.two()
        return good.signed_as(good.signature, self.rng.choice((good, other)).signature)

    def make_header_under_another_name(self) -> Post:
        good = self.one()
        names = ("stripe-signature", "signature", "x-sandbox-signature", "sandbox_signature",
                 "sandbox-signature2", "webhook-signature", "authorization", "cookie")  # fmt: skip
        return good.signed_as(good.signature, name=self.rng.choice(names))

    def make_header_missing(self) -> Post:
        return self.one().signed_as(*self.rng.choice(((), ("",))))

    # Time and secrets

    def make_signed_too_early_or_too_late(self) -> Post:
        good = self.one()
        apart = timedelta(seconds=self.rng.randrange(TOLERANCE_SECONDS + 1, 10**7))
        at = self.world.now() + self.rng.choice((apart, -apart))
        return good.signed_as(self.world.sandbox.hooks.signature(good.body, at))

    def make_signed_with_another_secret(self) -> Post:
        good = self.one()
        (secret,) = self.world.sandbox.hooks.secrets
        others = ("", secret[:-1], secret + "0", secret.upper(), secret[::-1], "whsec_test")
        stranger = Webhooks(self.world.now, deliver_nothing, (self.rng.choice(others),), self.rng)
        return good.signed_as(stranger.signature(good.body, self.world.now()))

    def make_signed_for_another_event(self) -> Post:
        good, other = self.two()
        return good.signed_as(other.signature)

    # The way

    def make_posted_to_another_provider(self) -> Post:
        names = ("stripe", "SANDBOX", "sandbox%20", "sandbox%00", "sandbox2", "%F0%9F%92%B3",
                 "..", "sandbox%2F", "null", "%ff", "a" * 500)  # fmt: skip
        return replace(self.one(), path=f"/webhooks/{self.rng.choice(names)}")

    def make_posted_elsewhere(self) -> Post:
        paths = ("/webhooks", "/webhooks/", "/webhooks/sandbox/", "/webhooks/sandbox/events",
                 "/WEBHOOKS/sandbox", "//webhooks/sandbox")  # fmt: skip
        return replace(self.one(), path=self.rng.choice(paths))

    def make_sent_by_another_method(self) -> Post:
        methods = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
        return replace(self.one(), method=self.rng.choice(methods))

    def make_said_to_be_base64(self) -> Post:
        """Read as base64 it is something else, or nothing at all."""
        return replace(self.one(), event=(("isBase64Encoded", True),))

    def make_base64_not_said_to_be(self) -> Post:
        good = self.one()
        encoded = base64.b64encode(good.body).decode()
        return replace(good, event=(("body", encoded), ("isBase64Encoded", False)))

    def make_broken_base64(self) -> Post:
        good = self.one()
        encoded = base64.b64encode(good.body).decode()
        at = self.rng.randrange(len(encoded))
        broken = encoded[:at] + self.rng.choice("!*\u00e9 \n") + encoded[at:]
        return replace(good, event=(("body", broken), ("isBase64Encoded", True)))

    def make_half_a_character(self) -> Post:
        good = self.one()
        return replace(good, event=(("body", good.body.decode() + "\ud83d"),))

    def make_without_headers_or_body(self) -> Post:
        empty: tuple[tuple[str, Any], ...] = (("headers", None), ("body", None), ("headers", {}))
        return replace(self.one(), event=(self.rng.choice(empty),))

    def make_larger_than_we_read(self) -> Post:
        """Mostly just below: then it is read, and does not verify."""
        good = self.one()
        size = LARGE_BYTES if self.rng.random() < 0.1 else self.rng.randrange(2_000, 20_000)
        return replace(good, body=good.body.ljust(size))


def parts_of(signature: str) -> tuple[str, str]:
    """The moment and the signature."""
    moment, _, digest = signature.removeprefix("t=").partition(",v1=")
    return moment, digest


def deliver_nothing(*_: object) -> None:
    """A stranger's events go nowhere by themselves."""


@pytest.fixture
def overheard(shop: Shop) -> Iterator[tuple[LocalWorld, list[Post]]]:
    """A shop where much has happened, and its provider's events: signed now, not delivered."""
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 12:00")
    world.sandbox.webhooks(hold=True)
    new_card(world, ada, WORKS)
    ben = customer_with_card(world, email="ben@example.com")
    for wanted in ("ten", "mat", "month"):
        buy(world, ben, wanted)
    bodies = [event.body for event in world.sandbox.hooks._held]
    assert len(bodies) == len(set(bodies)) >= 5
    yield world, [signed(world, body) for body in bodies]
    world.sandbox.release_webhooks()


def signed(world: LocalWorld, body: bytes) -> Post:
    signature = world.sandbox.hooks.signature(body, world.now())
    return Post(body, (("content-type", "application/json"), (HEADER, signature)))


def tables(world: LocalWorld) -> dict[str, list[Any]]:
    """Everything that is stored, item by item."""
    database = world.client("dynamodb")
    found: dict[str, list[Any]] = {}
    for name in database.list_tables()["TableNames"]:
        answer = database.scan(TableName=name)
        assert "LastEvaluatedKey" not in answer
        found[name] = answer["Items"]
    return found


def test_of_ten_thousand_bad_webhooks_none_gets_in(
    overheard: tuple[LocalWorld, list[Post]],
) -> None:
    world, genuine = overheard
    forger = Forger(world, genuine, random.Random(SEED))
    before = tables(world)
    kinds = forger.kinds()
    tried: Counter[str] = Counter()
    known = {(post.body, post.signature) for post in genuine}
    for at in range(MUTANTS):
        kind = list(kinds)[at % len(kinds)]
        mutant = kinds[kind]()
        if not mutant.event and (mutant.method, mutant.path) == ("POST", PATH):
            names = {name for name, _ in mutant.headers}
            assert HEADER not in names or (mutant.body, header_of(mutant)) not in known, kind
        status = mutant.send(world).status
        assert 400 <= status < 500, (kind, status, mutant)
        tried[kind] += 1
    assert min(tried.values()) >= AT_LEAST_OF_EACH
    assert world.errors == []
    assert tables(world) == before
    # The untouched ones are taken, once each, however often they come.
    for _ in range(2):
        for post in genuine:
            assert post.send(world).status == 200
    stored = {item["pk"]["S"] for item in tables(world)[world.wiring.environment.accounts_table]}
    for post in genuine:
        event = world.wiring.provider("sandbox").read_webhook(dict(post.headers), post.body)
        ref = accounts.webhook("sandbox", event.event_id)
        assert ref.pk in stored
        row = read(ref).get(ref)
        assert row is not None and row.value.applied_at is not None
    assert sum(pk.startswith("webhook#") for pk in stored) - webhooks_in(before) == len(genuine)


def header_of(post: Post) -> str:
    return ",".join(value for name, value in post.headers if name == HEADER)


def webhooks_in(found: dict[str, list[Any]]) -> int:
    keys = {item["pk"]["S"] for items in found.values() for item in items}
    return sum(key.startswith("webhook#") for key in keys)


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
def test_bodies_beyond_every_limit_are_refused(
    overheard: tuple[LocalWorld, list[Post]], content_type: str
) -> None:
    world, genuine = overheard
    before = tables(world)
    for size, status in ((LARGE_BYTES, 400), (HUGE_BYTES, 413)):
        # Even where it is signed: what could be read of it is nothing that a provider sends.
        post = signed(world, genuine[0].body.ljust(size))
        sent = replace(post, headers=(("content-type", content_type), *post.headers[1:]))
        assert sent.send(world).status == status
    assert tables(world) == before


@pytest.mark.parametrize("apart", [-TOLERANCE_SECONDS, 0, TOLERANCE_SECONDS])
def test_what_was_signed_within_300_seconds_is_taken_and_a_second_more_is_not(
    overheard: tuple[LocalWorld, list[Post]], apart: int
) -> None:
    world, genuine = overheard
    for post, seconds, status in (
        (genuine[0], apart, 200),
        (genuine[1], apart + (1 if apart > 0 else -1 if apart < 0 else 301), 400),
    ):
        at = world.now() + timedelta(seconds=seconds)
        signature = world.sandbox.hooks.signature(post.body, at)
        assert post.signed_as(signature).send(world).status == status
