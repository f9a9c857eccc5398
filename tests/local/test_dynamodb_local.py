"""Amazon's own engine keeps the same contract; `make test` installs it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local.aws import switchboard
from infra.local.dynamodb_local import DynamoDBLocal, NotInstalled, missing
from infra.local.template import REGION, create_tables, load
from tests.local.engine_contract import *  # noqa: F403 - the contract's tests run here
from tests.local.engine_contract import TABLE, put

pytestmark = pytest.mark.xdist_group("dynamodb-local")


@pytest.fixture(scope="module")
def started() -> Iterator[DynamoDBLocal]:
    lacking = missing()
    if lacking is not None:
        pytest.fail(f"DynamoDB Local needs {lacking}; `make test` installs it.", pytrace=False)
    with DynamoDBLocal(shards=4) as engine:
        yield engine


@pytest.fixture
def engine(started: DynamoDBLocal) -> Iterator[DynamoDBLocal]:
    with started.share() as shared:
        switchboard.connect({"dynamodb": shared.call})
        yield shared
        switchboard.disconnect()


@pytest.fixture
def client(engine: DynamoDBLocal) -> Any:
    assert engine is not None
    made = boto3.client(
        "dynamodb", region_name=REGION, aws_access_key_id="local", aws_secret_access_key="local"
    )
    create_tables(
        made, load({"PublicUrl": "http://127.0.0.1:8000", "SenderAddress": "a@example.com"})
    )
    return made


def test_the_first_due_moment_is_read_over_all_shards(engine: DynamoDBLocal, client: Any) -> None:
    assert engine.first_due(TABLE) is None
    put(client, "1", "x", due_shard="money#0", due_at="2026-02")
    put(client, "2", "x", due_shard="later#3", due_at="2026-01")
    assert engine.first_due(TABLE) == "2026-01"


def test_engines_that_share_a_process_see_tables_of_their_own(
    engine: DynamoDBLocal, client: Any
) -> None:
    assert len(client.list_tables()["TableNames"]) == 3
    with engine.share() as other:
        assert other.ask("ListTables")["TableNames"] == []
    engine.reset()
    assert client.list_tables()["TableNames"] == []


def test_what_is_missing_is_named(tmp_path: Any) -> None:
    with pytest.raises(NotInstalled, match="amplify-dynamodb-simulator"):
        DynamoDBLocal(tmp_path)
