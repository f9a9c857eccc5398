"""What AWS asks in us-east-1, in US dollars, and what it always gives for nothing.

Looked up on 2026-11-23. The pages of AWS are the source; what was read were copies and guides that
quote them, so a merchant should look again before relying on a cent. Allowances are those that do
not end after twelve months.
"""

from dataclasses import dataclass

READ_ON = "2026-11-23"
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """`dollars` for one `unit`; `free` units a month cost nothing."""

    what: str
    unit: str
    dollars: float
    free: float
    source: str

    def of(self, units: float, *, allowed: bool = True) -> float:
        """What so many units in a month cost; with `allowed`, beyond what is free."""
        return max(0.0, units - (self.free if allowed else 0.0)) * self.dollars


DYNAMODB = "aws.amazon.com/dynamodb/pricing/on-demand"
LAMBDA = "aws.amazon.com/lambda/pricing"
EVENTBRIDGE = "aws.amazon.com/eventbridge/pricing"
CLOUDWATCH = "aws.amazon.com/cloudwatch/pricing"

WRITES = Price("DynamoDB on-demand writes", "write request unit", 0.625 / MILLION, 0, DYNAMODB)
READS = Price("DynamoDB on-demand reads", "read request unit", 0.125 / MILLION, 0, DYNAMODB)
STORAGE = Price("DynamoDB storage", "GB-month", 0.25, 25, DYNAMODB)
RECOVERY = Price("DynamoDB point-in-time recovery", "GB-month", 0.20, 0, DYNAMODB)
COMPUTE = Price("Lambda on arm64", "GB-second", 0.0000133334, 400_000, LAMBDA)
INVOCATIONS = Price("Lambda requests", "request", 0.20 / MILLION, MILLION, LAMBDA)
EVENTS = Price("EventBridge custom events", "event (64 KB)", 1.00 / MILLION, 0, EVENTBRIDGE)
SCHEDULES = Price("EventBridge Scheduler", "invocation", 1.00 / MILLION, 14 * MILLION, EVENTBRIDGE)
REQUESTS = Price(
    "API Gateway, HTTP API", "request", 1.00 / MILLION, 0, "aws.amazon.com/api-gateway/pricing"
)
LOGS = Price("CloudWatch Logs, taken in", "GB", 0.50, 5, CLOUDWATCH)
LOGS_KEPT = Price("CloudWatch Logs, kept", "GB-month", 0.03, 5, CLOUDWATCH)
METRICS = Price("CloudWatch custom metrics", "metric-month", 0.30, 10, CLOUDWATCH)
ALARMS = Price("CloudWatch alarms", "alarm-month", 0.10, 10, CLOUDWATCH)
DASHBOARDS = Price("CloudWatch dashboards", "dashboard-month", 3.00, 3, CLOUDWATCH)
PARAMETERS = Price(
    "SSM standard parameters", "parameter-month", 0.0, 0, "aws.amazon.com/systems-manager/pricing"
)
QUEUE = Price("SQS requests", "request", 0.40 / MILLION, MILLION, "aws.amazon.com/sqs/pricing")

ALL = (
    WRITES, READS, STORAGE, RECOVERY, COMPUTE, INVOCATIONS, EVENTS, SCHEDULES, REQUESTS, LOGS,
    LOGS_KEPT, METRICS, ALARMS, DASHBOARDS, PARAMETERS, QUEUE,
)  # fmt: skip
