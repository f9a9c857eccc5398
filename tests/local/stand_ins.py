# ruff: noqa: ARG001 - Lambda hands every handler both arguments
"""Handlers of a small product of our own, so that the local runner is tried by itself.

They write down what they saw; `forget` starts anew.
"""

import json
from collections.abc import Callable
from typing import Any

import boto3

from shared import wiring

seen: list[tuple[str, str, dict[str, Any]]] = []
"""Handler, local time and event of every call."""

failing: set[str] = set()
"""Details' `name`s that `work` fails on."""

leaving: set[str] = set()
"""Keys that `sweep` leaves where they are."""


meanwhile: list[Callable[[], None]] = []
"""What others do in the middle of `curious`."""


def forget() -> None:
    seen.clear()
    meanwhile.clear()
    failing.clear()
    leaving.clear()


def _now() -> str:
    return wiring.current().now().strftime("%Y-%m-%dT%H:%M:%SZ")


def page(event: dict[str, Any], context: Any) -> dict[str, Any]:
    seen.append(("page", _now(), event))
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "cookies": ["a=1; Path=/", "b=2; Path=/"],
        "body": f"{event['requestContext']['http']['method']} {context.function_name}",
    }


def broken(event: dict[str, Any], context: Any) -> dict[str, Any]:
    raise RuntimeError("broken on purpose")


def bare(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"hello": "world"}


def picture(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"statusCode": 201, "isBase64Encoded": True, "body": "AAECAw=="}


def nonsense(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "body": {"not": "text"}}


def put(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Puts the event that the body names."""
    put_event(json.loads(event["body"]))
    return {"statusCode": 204}


def put_event(detail: dict[str, Any]) -> None:
    boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": "tested",
                "Source": "punchcard",
                "DetailType": "work",
                "Detail": json.dumps(detail),
            }
        ]
    )


def work(event: dict[str, Any], context: Any) -> None:
    seen.append(("work", _now(), event))
    if event["detail"].get("name") in failing:
        raise RuntimeError("failing on purpose")


def sweep(event: dict[str, Any], context: Any) -> None:
    """Takes what is due out of the index and puts it on the bus."""
    seen.append(("sweep", _now(), event))
    client = boto3.client("dynamodb")
    page = client.query(
        TableName="tested-accounts",
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at < :now",
        ExpressionAttributeValues={":shard": {"S": "later#0"}, ":now": {"S": _now() + "$"}},
    )
    for item in page["Items"]:
        name = item["pk"]["S"]
        if name in leaving:
            continue
        client.update_item(
            TableName="tested-accounts",
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="REMOVE due_at, due_shard",
        )
        put_event({"name": name, "due_at": item["due_at"]["S"]})


def curious(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Does the one thing that its policy grants, then what the body names, which it doesn't."""
    client = boto3.client("dynamodb")
    client.get_item(TableName="tested-catalogue", Key={"pk": {"S": "a"}})
    for act in meanwhile:
        act()
    asked = json.loads(event["body"])
    boto3.client(asked["service"]).__getattribute__(asked["call"])(**asked["arguments"])
    return {"statusCode": 204}


def audit(event: dict[str, Any], context: Any) -> None:
    seen.append(("audit", _now(), event))


def receive(event: dict[str, Any], context: Any) -> dict[str, Any]:
    seen.append(("receive", _now(), event))
    return {"statusCode": 500 if "receive" in failing else 200}


TEMPLATE = """
Parameters:
  PublicUrl: { Type: String }
  SenderAddress: { Type: String, Default: shop@example.com }
  Provider: { Type: String, Default: "" }
  Special: { Type: String, Default: "" }
Conditions:
  IsSpecial: !Not [!Equals [!Ref Special, ""]]
Globals:
  Function:
    Timeout: 20
    MemorySize: 256
    Environment:
      Variables:
        ACCOUNTS_TABLE: !Ref Accounts
        CATALOGUE_TABLE: !Ref Catalogue
        ACCESS_TABLE: none
        EVENT_BUS: !Ref Bus
        PUBLIC_URL: !Ref PublicUrl
        SENDER_ADDRESS: !Ref SenderAddress
        PROVIDER_SECRETS: !Sub /${Bus}/providers
        MODE: !If [IsSpecial, special, plain]
Resources:
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: tested } }
  Catalogue:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: tested-catalogue
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
  Accounts:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: tested-accounts
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: true
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: sk, AttributeType: S }
        - { AttributeName: due_shard, AttributeType: S }
        - { AttributeName: due_at, AttributeType: S }
      KeySchema:
        - { AttributeName: pk, KeyType: HASH }
        - { AttributeName: sk, KeyType: RANGE }
      GlobalSecondaryIndexes:
        - IndexName: due
          KeySchema:
            - { AttributeName: due_shard, KeyType: HASH }
            - { AttributeName: due_at, KeyType: RANGE }
          Projection: { ProjectionType: KEYS_ONLY }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
  OnlySpecial:
    Type: AWS::Serverless::Function
    Condition: IsSpecial
    Properties: { Handler: tests.local.stand_ins.page }
  Page:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.page
      Events:
        Item: { Type: HttpApi, Properties: { Path: "/things/{thing}", Method: ANY } }
        Special: { Type: HttpApi, Properties: { Path: /things/special/part, Method: GET } }
  Broken:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.broken
      Events:
        Literal: { Type: HttpApi, Properties: { Path: /things/broken, Method: ANY } }
  Bare:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.bare
      Events: { Bare: { Type: HttpApi, Properties: { Path: /bare, Method: GET } } }
  Picture:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.picture
      Events: { Picture: { Type: HttpApi, Properties: { Path: /picture, Method: ANY } } }
  Nonsense:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.nonsense
      Events: { Nonsense: { Type: HttpApi, Properties: { Path: /nonsense, Method: ANY } } }
  Put:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.put
      Events: { Put: { Type: HttpApi, Properties: { Path: /put, Method: POST } } }
  Curious:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.curious
      Policies:
        - Statement:
            - Effect: Allow
              Action: [dynamodb:GetItem, dynamodb:PutItem]
              Resource: !GetAtt Catalogue.Arn
            - Effect: Allow
              Action: dynamodb:Query
              Resource: !Sub ${Accounts.Arn}/index/due
            - Effect: Allow
              Action: ses:SendEmail
              Resource: !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:*
              Condition: { StringEquals: { ses:FromAddress: !Ref SenderAddress } }
      Events: { Ask: { Type: HttpApi, Properties: { Path: /curious, Method: POST } } }
  Receive:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.receive
      Events: { Hook: { Type: HttpApi, Properties: { Path: "/hooks/{from}", Method: POST } } }
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.work
      Environment: { Variables: { EXTRA: !Sub "${AWS::StackName} ${Accounts}" } }
      Events:
        Due:
          Type: EventBridgeRule
          Properties:
            Pattern: { source: [punchcard], detail-type: [work] }
            RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 2 }
  Sweep:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.sweep
      Events:
        Tick: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 minute) } }
  Audit:
    Type: AWS::Serverless::Function
    Properties:
      Handler: tests.local.stand_ins.audit
      Events:
        Daily: { Type: ScheduleV2, Properties: { ScheduleExpression: "cron(30 3 * * ? *)" } }
"""
