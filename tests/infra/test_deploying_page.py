"""What `docs/deploying.md` says of parameters, outputs and commands is what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import template

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploying.md").read_text()
NONE = "none"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(
        template.TEMPLATE.read_text(),
        Loader=template._Loader,  # noqa: S506 - a SafeLoader
    )
    return loaded


def rows() -> dict[str, list[str]]:
    section = PAGE.split("## Parameters\n")[1].split("\n## ")[0]
    found = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            found[name.strip("`")] = cells
    return found


def test_every_parameter_is_explained_with_its_default_and_nothing_else_is(
    document: dict[str, Any],
) -> None:
    told = rows()
    assert list(told) == list(document["Parameters"])
    for name, (default, what) in told.items():
        parameter = document["Parameters"][name]
        expected = {None: "", "": NONE}.get(parameter.get("Default"), str(parameter.get("Default")))
        assert default.strip("`") == expected, name
        assert len(what.split()) >= 6, name


def test_every_parameter_says_in_the_template_what_it_is(document: dict[str, Any]) -> None:
    """It is what `sam deploy --guided` asks with."""
    for name, parameter in document["Parameters"].items():
        assert len(parameter["Description"].split()) >= 4, name


def test_outputs_and_resources_that_the_page_names_are_there(document: dict[str, Any]) -> None:
    known = {*document["Parameters"], *document["Outputs"], *document["Resources"]}
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", PAGE))
    named -= {"DeletionPolicy", "UpdateReplacePolicy"}
    assert len(named) > 15
    assert named <= known, named - known


def test_commands_that_the_page_names_are_there() -> None:
    for module in set(re.findall(r"python -m (infra[.\w]+)", PAGE)):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
    targets = set(
        re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    )
    assert set(re.findall(r"\bmake ([a-z]+)\b(?= |$|`)", PAGE)) & {"smoke", "build"} <= targets


def test_pages_and_places_that_the_page_leads_to_are_there() -> None:
    for target in re.findall(r"\]\(((?!https://)[^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        text = (ROOT / "docs" / path).read_text()
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


def test_the_tables_stay_when_the_stack_goes_and_none_can_be_lost_by_an_upgrade(
    document: dict[str, Any],
) -> None:
    tables = [
        one for one in document["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"
    ]
    assert len(tables) == 3
    for table in tables:
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        assert table["Properties"]["DeletionProtectionEnabled"] is True
        recovery = table["Properties"]["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}


def test_no_function_s_policy_outgrows_what_lambda_stores(document: dict[str, Any]) -> None:
    """Each route is a statement of the function's own policy, which Lambda holds to 20 KB."""
    stack, region, account = "punchcard-production", "ap-southeast-2", "123456789012"
    for name, resource in document["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        size = 0
        for event, one in resource["Properties"]["Events"].items():
            if one["Type"] != "HttpApi":
                continue
            path = re.sub(r"\{\w+\}", "*", one["Properties"].get("Path", "/*"))
            size += len(
                f'{{"Sid":"{stack}-{name}{event}Permission-ABCDEFGHIJKL","Effect":"Allow",'
                '"Principal":{"Service":"apigateway.amazonaws.com"},'
                '"Action":"lambda:InvokeFunction","Resource":'
                f'"arn:aws:lambda:{region}:{account}:function:{stack}-{name}-ABCDEFGHIJKL:live",'
                '"Condition":{"ArnLike":{"AWS:SourceArn":'
                f'"arn:aws:execute-api:{region}:{account}:abcdefghij/*/*{path}"}}}}}},'
            )
        assert size < 20_480, f"{name} needs {size} bytes: give some of its routes to another one"
