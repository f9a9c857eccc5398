"""Whatever call fails, is lost, times out, is throttled or ends its process: in the end it is as
SPEC.md says. Faults are tried on Amazon's own engine, never on the embedded one alone."""

import pytest

from infra.local.dynamodb_local import DynamoDBLocal
from tests.simulation import crash_sweep
from tests.simulation.crash_runs import Operation

SHARE = 0.1


@pytest.mark.parametrize("operation", crash_sweep.OPERATIONS, ids=lambda one: one.name)
def test_every_call_may_go_wrong_in_every_way(
    operation: Operation, dynamodb_local: DynamoDBLocal
) -> None:
    with crash_sweep.on_engine("dynamodb", dynamodb_local) as stage:
        result = crash_sweep.sweep_one(operation, stage=stage, share=SHARE, double_faults=1)
    assert result.failures == [], "\n".join(map(str, result.failures))
    assert result.faults > 0
