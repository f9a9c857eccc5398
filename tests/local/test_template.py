"""template.yaml, as one machine reads it."""

import re
from pathlib import Path

import pytest
import yaml

from infra.local import template
from infra.local.http_api import Routes
from shared.domain.due import Worker
from shared.operations.sweep import SWEEP
from tests.local import stand_ins

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"PublicUrl": "http://127.0.0.1:8000", "SenderAddress": "shop@example.com"}
REQUIRED_FUNCTIONS = {
    "functions.portal.sign_in",
    "functions.portal.shop",
    "functions.portal.cart",
    "functions.portal.checkout",
    "functions.portal.account",
    "functions.portal.packs",
    "functions.portal.subscriptions",
    "functions.portal.invoices",
    "functions.portal.cards",
    *(f"functions.webhooks.{name}" for name in ("receive", "apply")),
    *(f"functions.billing.{worker.value}" for worker in Worker if worker is not Worker.APPLY),
    "functions.billing.sweep",
    "functions.billing.audit",
    "functions.console.console",
    "functions.portal.schedule",
    "functions.portal.activity",
    "functions.portal.booking",
}


@pytest.fixture(scope="module")
def ours() -> template.Template:
    return template.load(PARAMETERS)


@pytest.fixture(scope="module")
def document() -> dict[str, dict[str, dict[str, object]]]:
    loaded: dict[str, dict[str, dict[str, object]]] = yaml.load(
        template.TEMPLATE.read_text(),
        Loader=template._Loader,  # noqa: S506 - a SafeLoader
    )
    return loaded


def _of_type(
    document: dict[str, dict[str, dict[str, object]]], kind: str
) -> dict[str, dict[str, object]]:
    return {n: r for n, r in document["Resources"].items() if r["Type"] == kind}


def test_there_is_a_function_for_every_handler(ours: template.Template) -> None:
    assert {f.handler.removesuffix(".handler") for f in ours.functions} == REQUIRED_FUNCTIONS


def test_every_worker_has_exactly_one_rule_with_the_age_of_one_lease(
    ours: template.Template,
) -> None:
    rules = {rule.pattern["detail-type"][0]: rule for rule in ours.rules}
    assert len(ours.rules) == len(rules)
    del rules[SWEEP]
    assert set(rules) == {worker.value for worker in Worker}
    for name, rule in rules.items():
        assert rule.function.handler.split(".")[2] == name
        assert rule.max_age_seconds == 300
        assert rule.function.timeout_seconds < rule.max_age_seconds


def test_what_a_tick_hands_over_reaches_the_sweep_within_its_minute_or_not_at_all(
    ours: template.Template,
) -> None:
    (rule,) = (one for one in ours.rules if one.pattern["detail-type"] == [SWEEP])
    assert rule.function.handler == "functions.billing.sweep.handler"
    assert (rule.max_age_seconds, rule.retries) == (60, 0), "the next tick has it anyway"
    assert rule.function.timeout_seconds < 60


def test_the_sweep_starts_each_minute_and_the_audit_daily(ours: template.Template) -> None:
    found = {s.function.handler: s.expression for s in ours.schedules}
    assert found["functions.billing.sweep.handler"] == "rate(1 minute)"
    assert found["functions.billing.audit.handler"].startswith("cron(")
    assert len(found) == 2


def test_every_function_has_the_environment_that_the_wiring_reads(
    ours: template.Template,
) -> None:
    for function in ours.functions:
        assert function.environment["ACCOUNTS_TABLE"] == "punchcard-accounts"
        assert function.environment["PUBLIC_URL"] == "http://127.0.0.1:8000"
        assert function.environment["DUE_SHARDS"] == "1"


def test_tables_are_on_demand_protected_and_recoverable(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    tables = _of_type(document, "AWS::DynamoDB::Table")
    assert len(tables) == 3
    for table in tables.values():
        properties = table["Properties"]
        assert isinstance(properties, dict)
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["DeletionProtectionEnabled"] is True
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}
        assert "StreamSpecification" not in properties
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_the_indexes_are_sparse_and_keys_only(ours: template.Template) -> None:
    due, touched = ours.table("ACCOUNTS_TABLE").arguments["GlobalSecondaryIndexes"]
    assert (due["IndexName"], touched["IndexName"]) == ("due", "touched")
    for index in (due, touched):
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert ours.table("ACCOUNTS_TABLE").ttl_attribute == "expires_at"
    assert ours.table("ACCESS_TABLE").ttl_attribute == "expires_at"


def test_every_function_has_a_log_group_with_retention_and_a_policy_of_its_own(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    groups = _of_type(document, "AWS::Logs::LogGroup")
    seen = set()
    for name, function in _of_type(document, "AWS::Serverless::Function").items():
        properties = function["Properties"]
        assert isinstance(properties, dict)
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert groups[group]["Properties"] == {"RetentionInDays": {"Ref": "LogRetentionDays"}}
        seen.add(group)
        listed = properties["Policies"][0]["Statement"]
        # What is granted on a condition is held to the same.
        statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in listed]
        assert statements, name
        assert "*" not in [s["Resource"] for s in statements], name
        assert not any("*" in action for s in statements for action in _listed(s["Action"])), name
    assert len(seen) == len(_of_type(document, "AWS::Serverless::Function"))


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def test_every_function_that_runs_by_itself_has_a_failure_destination(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    for name, function in _of_type(document, "AWS::Serverless::Function").items():
        properties = function["Properties"]
        assert isinstance(properties, dict)
        if all(event["Type"] == "HttpApi" for event in properties["Events"].values()):
            continue
        on_failure = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert on_failure == {"Type": "SQS", "Destination": {"Fn::GetAtt": ["FailedEvents", "Arn"]}}
        assert properties["EventInvokeConfig"]["MaximumEventAgeInSeconds"] >= 60, name
        for event in properties["Events"].values():
            if event["Type"] == "EventBridgeRule":
                assert "DeadLetterConfig" in event["Properties"], name


def test_there_are_at_most_ten_alarms(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    alarms = _of_type(document, "AWS::CloudWatch::Alarm")
    assert 0 < len(alarms) <= 10
    assert all(alarm["Properties"].get("AlarmActions") for alarm in alarms.values())  # type: ignore[attr-defined]


def test_the_access_log_never_holds_a_path_or_a_query(
    document: dict[str, dict[str, dict[str, object]]],
) -> None:
    (api,) = _of_type(document, "AWS::Serverless::HttpApi").values()
    log_format = api["Properties"]["AccessLogSettings"]["Format"]  # type: ignore[index]
    logged = set(re.findall(r"\$context\.([\w.]+)", log_format))
    assert logged
    assert not logged & {"path", "customDomain.basePathMatched", "identity.sourceIp"}


def test_no_two_routes_claim_the_same_path(ours: template.Template) -> None:
    Routes(ours.routes)
    literal = Routes(ours.routes).find("POST", "/sign-in/code")
    assert literal is not None
    assert literal.parameters == {}
    link = Routes(ours.routes).find("GET", "/sign-in/abc")
    assert link is not None
    assert link.parameters == {"token": "abc"}


def test_nothing_local_is_in_what_is_deployed() -> None:
    """[LOCALONLY]"""
    deployed = [template.TEMPLATE, *(ROOT / "functions").rglob("*"), *(ROOT / "shared").rglob("*")]
    texts = [p for p in deployed if p.suffix in {".py", ".yaml", ".html", ".txt", ".css", ".js"}]
    assert len(texts) > 10
    for path in texts:
        text = path.read_text()
        assert "_local" not in re.sub(r"\w_local|_local\w", "", text), path
        assert "infra.local" not in text, path


def test_references_substitutions_and_conditions_are_resolved() -> None:
    read = template.load({"PublicUrl": "http://x.example"}, text=stand_ins.TEMPLATE)
    work = next(f for f in read.functions if f.handler.endswith(".work"))
    assert work.environment["EXTRA"] == "punchcard tested-accounts"
    assert work.environment["PROVIDER_SECRETS"] == "/tested/providers"
    assert work.environment["MODE"] == "plain"
    assert not any(f.name == "OnlySpecial" for f in read.functions)
    special = template.load(
        {"PublicUrl": "http://x.example", "Special": "yes"}, text=stand_ins.TEMPLATE
    )
    assert special.environment["MODE"] == "special"
    assert any(f.name == "OnlySpecial" for f in special.functions)


def test_a_parameter_that_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(template.TemplateError, match="PublicUrl"):
        template.load({}, text=stand_ins.TEMPLATE)
    with pytest.raises(template.TemplateError, match="Publicurl"):
        template.load({"PublicUrl": "x", "Publicurl": "x"}, text=stand_ins.TEMPLATE)


def test_a_reference_to_nothing_is_named() -> None:
    text = stand_ins.TEMPLATE.replace("!Ref Accounts", "!Ref Account")
    with pytest.raises(template.TemplateError, match="Account"):
        template.load({"PublicUrl": "x"}, text=text)


def test_a_path_segment_is_a_literal_or_one_name() -> None:
    text = stand_ins.TEMPLATE.replace('"/things/{thing}"', '"/things/a-{thing}"')
    with pytest.raises(template.TemplateError, match="literal or one"):
        template.load({"PublicUrl": "x"}, text=text)
