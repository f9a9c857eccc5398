"""The sandbox keeps every promise of the port, every part of the suite."""

import pytest

from tests.contract.provider_confirming_contract import *  # noqa: F403
from tests.contract.provider_contract import *  # noqa: F403
from tests.contract.provider_hosted_contract import *  # noqa: F403
from tests.contract.provider_keys_contract import *  # noqa: F403
from tests.contract.provider_late_contract import *  # noqa: F403
from tests.contract.provider_list_contract import *  # noqa: F403
from tests.contract.provider_refusal_contract import *  # noqa: F403
from tests.contract.provider_reversal_contract import *  # noqa: F403
from tests.contract.provider_webhook_contract import *  # noqa: F403
from tests.contract.sandbox_bench import SandboxBench


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()
