"""Writes `template-snapstart.yaml`: `python -m infra.snapstart`.

It is `template.yaml`, where those functions that a person waits for start from snapshots. These
are of published versions, so the functions get a version and the alias `live`, which the API then
calls. That can't be a parameter of the one template: SAM makes an alias or none, whatever a
parameter says, and publishes a new version when the code changes but not when a parameter does
(`PublicUrl`), so the alias would go on with the old one. Here each file has a token of its own, in
the functions' description, by which every deployment publishes. What it costs is in
docs/deploying.md.
"""

import argparse
import secrets
from collections.abc import Iterable
from pathlib import Path

from infra.local import template

WRITTEN = template.TEMPLATE.with_name("template-snapstart.yaml")

WAITED_FOR = ("functions.portal.", "functions.console.")
"""Where the handlers are that a person waits for."""

ALIAS = "live"
HOURS_A_MONTH = 730
CACHE_USD_PER_GB_SECOND = 0.0000015046
RESTORE_USD_PER_GB = 0.0001397998
"""https://aws.amazon.com/lambda/pricing/, us-east-1, read on 23 November 2026."""

LINES = """\
      AutoPublishAlias: {alias}
      AutoPublishCodeSha256: "{token}"
      VersionDeletionPolicy: Delete
      SnapStart: {{ ApplyOn: PublishedVersions }}
"""


def with_snapshots(text: str, token: str) -> tuple[str, tuple[str, ...]]:
    """The template's text with snapshots, and the names of the functions that have them."""
    lines: list[str] = []
    found: list[str] = []
    resource = ""
    for line in text.splitlines(keepends=True):
        lines.append(line)
        if line.startswith("  ") and not line.startswith("   ") and line.rstrip().endswith(":"):
            resource = line.strip().removesuffix(":")
        if line.strip().startswith("Handler: ") and is_waited_for(line.split()[1]):
            lines.append(LINES.format(alias=ALIAS, token=token))
            found.append(resource)
    return "".join(lines), tuple(found)


def is_waited_for(handler: str) -> bool:
    return handler.startswith(WAITED_FOR)


def monthly_usd(memory_megabytes: Iterable[int], cold_starts: int = 0) -> float:
    """What snapshots of functions with that much memory cost a month, one version of each kept all
    the time, with so many cold starts of the largest. There is no free allowance."""
    sizes = [megabytes / 1024 for megabytes in memory_megabytes]
    kept = sum(sizes) * HOURS_A_MONTH * 3600 * CACHE_USD_PER_GB_SECOND
    return kept + cold_starts * max(sizes, default=0.0) * RESTORE_USD_PER_GB


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.snapstart", description=__doc__)
    parser.add_argument("--into", type=Path, default=WRITTEN, metavar="FILE")
    given = parser.parse_args(arguments)
    text, found = with_snapshots(template.TEMPLATE.read_text(), secrets.token_hex(16))
    given.into.write_text(text)
    served = template.load({"PublicUrl": "https://a.example", "SenderAddress": "a@a.example"})
    sizes = [one.memory_megabytes for one in served.functions if one.name in found]
    kept = monthly_usd(sizes)
    print(
        f"{given.into}: {', '.join(found)} start from snapshots, for {kept:.2f} dollars a month and"
        f" {monthly_usd(sizes, 1000) - kept:.2f} for each thousand cold starts."
    )
    print(f"sam build --template {given.into} && sam deploy")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
