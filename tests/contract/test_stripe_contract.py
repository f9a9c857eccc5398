"""Stripe keeps every promise of the port, over what stands in for it: every part of the suite."""

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
from tests.contract.stripe_bench import StripeBench


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()
