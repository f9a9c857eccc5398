"""Processes that measure: their environment, and what they answer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.scene import Scene
from infra.local.template import REGION

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 1800


def environment(scene: Scene) -> dict[str, str]:
    """That of a deployed function, whose DynamoDB is the scene's engine."""
    engine = scene.engine
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **scene.world.template.environment,
        "AWS_ACCESS_KEY_ID": engine.access_key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": engine.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": str(ROOT),
        "PYTHONTZPATH": "",
        "POWERTOOLS_METRICS_NAMESPACE": "Punchcard",
    }


def run(module: str, told: Any, environment_: dict[str, str]) -> Any:
    """What `python -m {module}` answers to `told`, both JSON. What it logs is let go."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment_,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])
