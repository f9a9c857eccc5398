"""What docs/providers.md tells a merchant to set up is what the adapters need."""

import re
from pathlib import Path

from shared.providers.names import NAMES
from shared.providers.stripe_events import HEARD

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text()


def test_the_webhook_endpoint_is_to_be_subscribed_to_every_event_that_is_heard() -> None:
    section = PAGE[PAGE.index("## Stripe") : PAGE.index("## CardPointe")]
    events = set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", section))
    assert events - {"stripe_http.py"} == HEARD


def test_every_provider_has_its_column() -> None:
    (header,) = [line for line in PAGE.splitlines() if line.startswith("| | `")]
    assert set(re.findall(r"`(\w+)`", header)) == set(NAMES)
