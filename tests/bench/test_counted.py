"""What operations and routes ask of DynamoDB, held to the limits of docs/performance.md: on
Amazon's own engine, since only its units are real."""

import json

import pytest

from bench import figures, operations
from bench.journey import NOT_TAKEN, Journey
from bench.meter import Run
from bench.report import Figure
from bench.scene import opened
from infra.local.dynamodb_local import DynamoDBLocal
from infra.openapi import WRITTEN

FEW = 3


def missed(found: list[Figure]) -> list[str]:
    return [f"{one.name} is {one.value}" for one in found if one.within is False]


@pytest.fixture(scope="module")
def runs(_dynamodb_local_process: DynamoDBLocal) -> dict[str, Run]:
    with opened(_dynamodb_local_process) as scene:
        return Journey(scene).all()


def test_every_route_is_counted(runs: dict[str, Run]) -> None:
    """A new one is taken by the journey, or it says why not."""
    paths = json.loads(WRITTEN[0].read_text())["paths"]
    known = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    counted = set(runs) | set(NOT_TAKEN)
    assert known - counted == set()
    assert set(NOT_TAKEN) <= known


def test_no_route_asks_more_often_than_it_may(runs: dict[str, Run]) -> None:
    assert missed(figures.of_routes(runs)) == []


def test_a_renewal_costs_no_more_than_it_may(dynamodb_local: DynamoDBLocal) -> None:
    with opened(dynamodb_local) as scene:
        night = operations.night(scene, FEW)
        reads = operations.catalogue_reads(scene)
    assert missed(figures.of_operations(night, reads, {})) == []
    renewal = night.asked["renewals"]
    assert renewal.writes > 20, "it is counted at all"
