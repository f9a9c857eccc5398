"""What is left of botocore's descriptions of AWS is what the functions call."""

import re

from infra import aws_data, build
from infra.local.template import TEMPLATE

MODEL = {
    "metadata": {"endpointPrefix": "thing"},
    "operations": {
        "Take": {"input": {"shape": "TakeInput"}, "errors": [{"shape": "Gone"}]},
        "Give": {"input": {"shape": "GiveInput"}},
    },
    "shapes": {
        "TakeInput": {"type": "structure", "members": {"what": {"shape": "Name"}}},
        "GiveInput": {"type": "structure", "members": {"whom": {"shape": "Person"}}},
        "Gone": {"type": "structure", "members": {}, "exception": True},
        "Name": {"type": "string"},
        "Person": {"type": "string"},
    },
}

PART_OF_A_TRANSACTION = {"ConditionCheckItem"}
"""Granted by a name of its own, but no call."""

SERVICE_OF = {"ses": "sesv2"}
"""botocore's name where a permission has another."""

NOT_CALLED_BY_FUNCTIONS = {
    ("secretsmanager", "GetSecretValue"),  # SSM reads the secret for us
    ("sqs", "SendMessage"),  # Lambda and EventBridge put away what failed
    ("sesv2", "SendRawEmail"),  # the permission that SendEmail needs for raw messages
}


def granted() -> set[tuple[str, str]]:
    found = re.findall(r"\b([a-z]+):([A-Z][A-Za-z]+)\b", TEMPLATE.read_text())
    services = {"dynamodb", "events", "secretsmanager", "ses", "sqs", "ssm"}
    return {
        (SERVICE_OF.get(service, service), call)
        for service, call in found
        if service in services and call not in {"LeadingKeys", "FromAddress"}
    }


def test_every_call_that_the_template_grants_is_kept() -> None:
    calls = {(service, call) for service, of in aws_data.KEPT_CALLS.items() for call in of}
    missing = granted() - calls - NOT_CALLED_BY_FUNCTIONS
    assert {call for _, call in missing} <= PART_OF_A_TRANSACTION


def test_nothing_is_kept_that_the_template_does_not_grant() -> None:
    calls = {(service, call) for service, of in aws_data.KEPT_CALLS.items() for call in of}
    assert calls - granted() == {("dynamodb", "TransactWriteItems")}  # granted by what is in it


def test_a_service_keeps_its_calls_and_the_shapes_that_they_mention() -> None:
    kept = aws_data.only_calls(MODEL, frozenset({"Take"}))
    assert set(kept["operations"]) == {"Take"}
    assert set(kept["shapes"]) == {"TakeInput", "Name", "Gone"}
    assert kept["metadata"] == MODEL["metadata"]


def test_texts_for_people_are_left_out_and_a_member_of_that_name_is_not() -> None:
    described = {
        "documentation": "<p>What it is for.</p>",
        "members": {"documentation": {"shape": "Text", "documentation": "A text."}},
    }
    assert aws_data.without_documentation(described) == {
        "members": {"documentation": {"shape": "Text"}}
    }


def test_every_service_that_a_client_is_made_for_is_kept() -> None:
    sources = [path for part in build.OURS for path in (build.CHECKOUT / part).rglob("*.py")]
    made = {
        name
        for path in sources
        for name in re.findall(r"client\(\s*\"([a-z0-9-]+)\"", path.read_text())
    }
    assert made
    assert made | {"dynamodb"} == set(aws_data.KEPT_CALLS)  # PynamoDB makes that one
