"""CardPointe keeps what every provider promises, over what stands in for it, and what those promise
that have a card field, and those that lack what it lacks."""

import pytest

from tests.contract.cardpointe_bench import CardPointeBench
from tests.contract.provider_contract import *  # noqa: F403
from tests.contract.provider_field_contract import *  # noqa: F403
from tests.contract.provider_lacks_contract import *  # noqa: F403
from tests.contract.provider_refusal_contract import *  # noqa: F403


@pytest.fixture
def bench() -> CardPointeBench:
    return CardPointeBench()
