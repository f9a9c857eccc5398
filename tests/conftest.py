"""What every test stands on: no account, no zone and no network but loopback of this machine."""

import os
import time
import zoneinfo
from collections.abc import Iterator

import pytest

from infra.local.aws import Engine
from infra.local.dynamodb_local import DynamoDBLocal, missing
from infra.local.engine import Embedded

# Time zones come from the pinned `tzdata` package, as in a deployment, never from this machine.
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()

# A zone that no location of a test has, three quarters of an hour off the rest of the world: what
# reads this machine's local time shows.
os.environ["TZ"] = "Pacific/Chatham"
time.tzset()

# Nothing that a test forgets to catch can reach an account or the metadata of a machine.
os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)


@pytest.fixture
def embedded() -> Iterator[Engine]:
    """The engine in this process, empty: for behaviour, never for races or figures."""
    engine = Embedded()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def _dynamodb_local_process() -> Iterator[DynamoDBLocal]:
    """One process for each worker of the tests, started when the first test asks for it."""
    lacking = missing()
    if lacking is not None:
        pytest.fail(f"DynamoDB Local needs {lacking}; `make test` installs it.", pytrace=False)
    with DynamoDBLocal() as process:
        yield process


@pytest.fixture
def dynamodb_local(_dynamodb_local_process: DynamoDBLocal) -> Iterator[DynamoDBLocal]:
    """Amazon's own engine with no table in it: for races and consumed units."""
    engine = _dynamodb_local_process.share()
    yield engine
    engine.reset()
    engine.close()
