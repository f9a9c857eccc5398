"""What functions say of themselves: a line for each decision, and numbers for CloudWatch.

Lines go through Python's own logging. On AWS the template asks the runtime for JSON, so each line
is an object with its time, its request's id and whatever `extra` names.
"""

import json
import logging
import sys
from datetime import datetime

NAMESPACE = "Punchcard"

logger = logging.getLogger("punchcard")
if logger.level == logging.NOTSET:
    logger.setLevel(logging.INFO)


def count(name: str, value: int, *, at: datetime, stack: str) -> None:
    """One number to CloudWatch, by the line of the log that Lambda writes anyway (its embedded
    metric format). It is counted by stack, so that two stacks of one account don't answer for each
    other. `at` (UTC) is when it was so."""
    counted = {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": name, "Unit": "Count"}],
                }
            ],
        },
        "service": stack,
        name: value,
    }
    sys.stdout.write(json.dumps(counted, separators=(",", ":")) + "\n")
