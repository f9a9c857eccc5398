"""A small business on Amazon's own engine, whose functions are metered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.meter import Meter, Run
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.product import Catalogue
from shared.store import catalogue as catalogues
from shared.store import snapshot
from tests import shop_floor
from tests.console.office import Desk, customer, staff

START = "2090-01-31 15:00"
"""Amazon's engine deletes by this machine's clock what is past its TTL, so it lies ahead."""

MINUTES_OF_A_SESSION = 30


@dataclass
class Scene:
    world: LocalWorld
    meter: Meter
    engine: DynamoDBLocal

    def alone(self, desk: Desk, method: str, path: str, fields: Any, **headers: str) -> "Asked":
        """One request to a warm function, as a browser sends it, and what its handler asked for;
        not what it set going elsewhere."""
        self.warm()
        with self.meter.watching() as runs:
            answer = desk.ask(method, path, fields, accept="text/html", **headers)
        own = [run for run in runs if run.handler.startswith(("functions.portal", FRONT))]
        return Asked(answer, own[0] if own else Run(""))

    def warm(self) -> None:
        """Nothing waits, and the catalogue was read just now."""
        self.world.run_due()
        snapshot.load(Catalogue, self.world.now())

    def customer(self, customer_id: str) -> Desk:
        """Signed in for half an hour from now, at the location in New York."""
        desk = customer(self.world, customer_id)
        desk.cookies["__Host-location"] = "ny"
        return desk

    def owner(self) -> Desk:
        return staff(self.world)


FRONT = "functions.console"


@dataclass(frozen=True)
class Asked:
    answer: Response
    run: Run


@contextmanager
def opened(engine: DynamoDBLocal, start: str = START, **settings: Any) -> Iterator[Scene]:
    """A scene with tables of its own in `engine`'s process, the catalogue published."""
    own = engine.share()
    meter = Meter(own)
    snapshot.forget()
    with LocalWorld(
        engine=own,
        start=shop_floor.moment(start),
        public_url=shop_floor.PUBLIC_URL,
        template=shop_floor.template(),
        line=meter,
        seed=1,
    ) as world:
        catalogues.publish(shop_floor.catalogue_of(**settings))
        try:
            yield Scene(world, meter, own)
        finally:
            own.reset()
            snapshot.forget()
