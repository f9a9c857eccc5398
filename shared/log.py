"""The log: one line of JSON for each decision, with ids, and never a secret."""

from aws_lambda_powertools import Logger

logger = Logger(json_deserializer=str)
"""Its service is the stack's name, which the template hands to every function. Messages are words:
Powertools would read each as JSON first, which costs as much as all else that a line does."""
