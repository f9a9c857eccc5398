import pytest

pytest.register_assert_rewrite(
    "tests.contract.provider_contract", "tests.contract.provider_list_contract"
)
