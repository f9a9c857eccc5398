"""Reads `template.yaml`, so that one machine serves exactly what is deployed ([RUN]).

Tables, routes, rules, schedules and every function's environment come from there; none of them is
written down a second time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
STACK_NAME = "punchcard"
REGION = "us-east-1"
ACCOUNT_ID = "000000000000"

PSEUDO_PARAMETERS: Mapping[str, str] = {
    "AWS::StackName": STACK_NAME,
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
NAME_PROPERTIES = ("TableName", "QueueName", "TopicName", "Name", "DomainName")
"""What `!Ref` of a resource comes to is its name, where the template gives it one."""


def arn_of(name: str) -> str:
    """What stands for `!GetAtt Resource.Arn` of the resource with this name."""
    return f"arn:aws:local:{REGION}:{ACCOUNT_ID}:{name}"


class TemplateError(Exception):
    """The template holds something that one machine can't serve, and where."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` reads as `{"Ref": "x"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast(yaml.MappingNode, node), deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)


@dataclass(frozen=True)
class Table:
    """`arguments` are those of DynamoDB's CreateTable; `ttl_attribute` may be missing."""

    name: str
    arguments: Mapping[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True)
class Function:
    """One Lambda function: `handler` is its module and attribute, `environment` is resolved."""

    name: str
    handler: str
    timeout_seconds: int
    memory_megabytes: int
    environment: Mapping[str, str]
    statements: tuple[Mapping[str, Any], ...] | None = None
    """What its policy grants; None when the template gives it none."""


@dataclass(frozen=True)
class Route:
    """A method (or `ANY`) and a path whose segments are each a literal or one `{name}`."""

    method: str
    path: str
    function: Function


@dataclass(frozen=True)
class Rule:
    """Events on the bus that match `pattern` start `function`; retried as the template says."""

    pattern: Mapping[str, Any]
    function: Function
    retries: int
    max_age_seconds: int


@dataclass(frozen=True)
class Schedule:
    """`expression` is `rate(…)` or `cron(…)`, in UTC."""

    expression: str
    function: Function


@dataclass(frozen=True)
class Template:
    tables: tuple[Table, ...] = ()
    functions: tuple[Function, ...] = ()
    routes: tuple[Route, ...] = ()
    elsewhere: Function | None = None
    """The function of the default route: it gets what no other route owns."""
    rules: tuple[Rule, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def table(self, attribute: str) -> Table:
        """The table that functions know by the environment variable `attribute`."""
        name = self.environment[attribute]
        return next(table for table in self.tables if table.name == name)


class _Resolver:
    """Resolves intrinsic functions with parameters' values and local names."""

    def __init__(self, document: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self.resources: Mapping[str, Any] = document.get("Resources", {})
        self.conditions: Mapping[str, Any] = document.get("Conditions", {})
        declared: Mapping[str, Any] = document.get("Parameters", {})
        unknown = set(parameters) - set(declared)
        if unknown:
            raise TemplateError(f"no such parameter: {', '.join(sorted(unknown))}")
        self.parameters: dict[str, Any] = {}
        for name, parameter in declared.items():
            value = parameters.get(name, parameter.get("Default"))
            if value is None:
                raise TemplateError(f"the parameter {name} has no default and was not given")
            self.parameters[name] = value

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [kept for item in value if (kept := self.resolve(item)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if str(name).startswith("Fn::"):
                return self._function(str(name), argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not None}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return None
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return self.parameters[name]
        if name not in self.resources:
            raise TemplateError(f"!Ref {name}: there is no such parameter or resource")
        properties = self.resources[name].get("Properties", {})
        for key in NAME_PROPERTIES:
            if key in properties:
                return self.resolve(properties[key])
        return name

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Fn::Sub":
                return self._substitute(str(argument))
            case "Fn::GetAtt":
                logical_id, attribute = argument
                name = str(self._ref(logical_id))
                return arn_of(name) if attribute == "Arn" else f"{name}.{attribute}"
            case "Fn::If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
            case "Fn::Equals":
                left, right = (str(self.resolve(side)) for side in argument)
                return left == right
            case "Fn::Not":
                return not self.resolve(argument[0])
            case _:
                raise TemplateError(f"{name} is not served on one machine")

    def holds(self, condition: str) -> bool:
        return bool(self.resolve(self.conditions[condition]))

    def _substitute(self, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if "." in name:
                return str(self._function("Fn::GetAtt", name.split(".", 1)))
            return str(self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)


TABLE_ARGUMENTS = (
    "TableName", "BillingMode", "AttributeDefinitions", "KeySchema",
    "GlobalSecondaryIndexes", "LocalSecondaryIndexes",
)  # fmt: skip
"""What CreateTable takes of a table's properties; the rest is about how it is operated."""


def _table(properties: Mapping[str, Any]) -> Table:
    ttl = properties.get("TimeToLiveSpecification", {})
    return Table(
        name=properties["TableName"],
        arguments={key: properties[key] for key in TABLE_ARGUMENTS if key in properties},
        ttl_attribute=ttl.get("AttributeName") if ttl.get("Enabled") else None,
    )


def _function(name: str, properties: Mapping[str, Any], defaults: Mapping[str, Any]) -> Function:
    merged = {**defaults, **properties}
    variables = {
        **defaults.get("Environment", {}).get("Variables", {}),
        **properties.get("Environment", {}).get("Variables", {}),
    }
    policies = properties.get("Policies")
    return Function(
        name=name,
        handler=merged["Handler"],
        timeout_seconds=int(merged["Timeout"]),
        memory_megabytes=int(merged["MemorySize"]),
        environment={key: str(value) for key, value in variables.items()},
        statements=None
        if policies is None
        else tuple(statement for policy in policies for statement in policy["Statement"]),
    )


def _check_path(path: str) -> None:
    for segment in path.split("/"):
        if ("{" in segment or "}" in segment) and not re.fullmatch(r"\{\w+\}", segment):
            raise TemplateError(f"{path}: a segment is a literal or one {{name}}")


def load(
    parameters: Mapping[str, str], path: Path = TEMPLATE, *, text: str | None = None
) -> Template:
    """The template as one machine serves it, with `parameters` for those without a default.

    `text` stands in for the file in tests. Raises `TemplateError` for what can't be served.
    """
    document = yaml.load(text if text is not None else path.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    resolver = _Resolver(document, parameters)
    defaults = resolver.resolve(document.get("Globals", {}).get("Function", {}))
    tables: list[Table] = []
    functions: list[Function] = []
    routes: list[Route] = []
    rules: list[Rule] = []
    schedules: list[Schedule] = []
    elsewhere: Function | None = None
    for name, resource in document["Resources"].items():
        if "Condition" in resource and not resolver.holds(resource["Condition"]):
            continue
        if resource["Type"] == "AWS::DynamoDB::Table":
            tables.append(_table(resolver.resolve(resource["Properties"])))
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resolver.resolve(resource["Properties"])
        function = _function(name, properties, defaults)
        functions.append(function)
        for event_name, event in properties.get("Events", {}).items():
            asked = event["Properties"]
            match event["Type"]:
                case "HttpApi" if "Path" not in asked:
                    elsewhere = function
                case "HttpApi":
                    _check_path(asked["Path"])
                    routes.append(Route(asked["Method"].upper(), asked["Path"], function))
                case "EventBridgeRule":
                    retry = asked["RetryPolicy"]
                    rules.append(
                        Rule(
                            pattern=asked["Pattern"],
                            function=function,
                            retries=int(retry["MaximumRetryAttempts"]),
                            max_age_seconds=int(retry["MaximumEventAgeInSeconds"]),
                        )
                    )
                case "ScheduleV2":
                    schedules.append(Schedule(asked["ScheduleExpression"], function))
                case other:
                    raise TemplateError(f"{name}.{event_name}: {other} is not served locally")
    return Template(
        tables=tuple(tables),
        functions=tuple(functions),
        routes=tuple(routes),
        elsewhere=elsewhere,
        rules=tuple(rules),
        schedules=tuple(schedules),
        environment={
            key: str(value)
            for key, value in defaults.get("Environment", {}).get("Variables", {}).items()
        },
    )


def create_tables(client: Any, template: Template) -> None:
    """Create the template's tables, with their TTL, through a DynamoDB client of either engine."""
    for table in template.tables:
        client.create_table(**table.arguments)
        if table.ttl_attribute is not None:
            client.update_time_to_live(
                TableName=table.name,
                TimeToLiveSpecification={"AttributeName": table.ttl_attribute, "Enabled": True},
            )
