"""The sandbox keeps every promise of the port."""

import pytest

from tests.contract.provider_contract import *  # noqa: F403 (the suite that every provider joins)
from tests.contract.sandbox_bench import SandboxBench


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()
