"""What each function of the template loads to start: whoever comes first after a quiet hour pays
for it.

A fresh interpreter imports the function's module, as Lambda does. It may load the heavy packages
that are named here for it and no others, and no more of our own models than its bound, which has a
little room: building a model's class costs about as much as a small package.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import template

ROOT = Path(__file__).parents[2]
PARAMETERS = {"PublicUrl": "http://127.0.0.1:8000", "SenderAddress": "shop@example.com"}
OUR_PARTS = ("shared", "functions")

HEAVY = frozenset(
    {
        "aws_lambda_powertools.event_handler",
        "babel",
        "boto3",
        "botocore",
        "dateutil",
        "jinja2",
        "jmespath",
        "pydantic",
        "pynamodb",
        "requests",
        "stripe",
        "ulid",
        "urllib3",
    }
)
"""Packages whose loading is felt. One that is not named for a function, it may not load."""

STORES = frozenset(
    {
        "botocore",
        "dateutil",
        "jmespath",
        "pydantic",
        "pynamodb",
        "ulid",
        "urllib3",
    }
)
"""What everyone needs, who reads or writes and tells of it in the log."""

SERVES = STORES | {"aws_lambda_powertools.event_handler", "jinja2"}
"""Who answers requests with pages."""

MAY_LOAD = {
    "billing.audit": (STORES, 51),
    "billing.deliver": (STORES | {"babel", "jinja2"}, 15),
    "billing.expiries": (STORES, 24),
    "billing.number": (STORES, 10),
    "billing.places": (STORES, 39),
    "billing.reconcile": (STORES, 34),
    "billing.reminders": (STORES, 26),
    "billing.renewals": (STORES, 39),
    "billing.retries": (STORES, 39),
    "billing.sweep": (STORES, 4),
    "console.console": (SERVES | {"babel"}, 168),
    "portal.account": (SERVES, 45),
    "portal.activity": (SERVES, 54),
    "portal.booking": (SERVES, 89),
    "portal.cards": (SERVES, 60),
    "portal.cart": (SERVES | {"babel"}, 51),
    "portal.checkout": (SERVES, 75),
    "portal.invoices": (SERVES, 79),
    "portal.packs": (SERVES, 46),
    "portal.schedule": (SERVES, 33),
    "portal.shop": (SERVES, 32),
    "portal.sign_in": (SERVES, 40),
    "portal.subscriptions": (SERVES, 79),
    "webhooks.apply": (STORES, 25),
    "webhooks.receive": (STORES, 8),
}
"""By function: heavy packages, and the most models of our own."""

ASKS = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
from pydantic import BaseModel

def below(model):
    for one in model.__subclasses__():
        yield one
        yield from below(one)

models = {one for one in below(BaseModel) if one.__module__.partition(".")[0] in sys.argv[2:]}
print(json.dumps([sorted(sys.modules), sorted(f"{m.__module__}.{m.__name__}" for m in models)]))
"""


def test_every_function_of_the_template_has_its_line() -> None:
    handlers = {one.handler.removeprefix("functions.") for one in _functions()}
    assert {handler.removesuffix(".handler") for handler in handlers} == set(MAY_LOAD)


@pytest.mark.parametrize("name", sorted(MAY_LOAD))
def test_a_function_loads_no_more_than_it_may(name: str) -> None:
    packages, most = MAY_LOAD[name]
    modules, models = loaded(name)
    assert HEAVY & set(modules) == packages
    assert len(models) <= most, "\n".join(models)


def _functions() -> tuple[template.Function, ...]:
    return template.load(PARAMETERS).functions


def loaded(name: str) -> tuple[list[str], list[str]]:
    """The modules that a fresh interpreter has loaded after `functions.{name}`, and our models."""
    (function,) = [one for one in _functions() if one.handler == f"functions.{name}.handler"]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASKS, f"functions.{name}", *OUR_PARTS],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**function.environment, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": str(ROOT)},
        check=True,
    )
    modules, models = json.loads(ran.stdout)
    return modules, models
