"""Publishes a catalogue and its first staff: `python -m infra.publish catalogue.json`.

For a deployment whose console can't edit the catalogue yet. The tables are those of the stack,
named by the environment variables `CATALOGUE_TABLE` and `ACCOUNTS_TABLE` (its outputs), with the
credentials that the AWS command line uses. What does not hold together is refused whole, with the
place in the file. `--example` prints a small file to begin with.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.domain.product import Catalogue
from shared.store import catalogue
from shared.store.staff import StaffMember, write_staff_member

EXAMPLE = {
    "staff": [{"email": "you@example.com", "name": "You", "role": "owner"}],
    "catalogue": {
        "settings": {
            "merchant_name": "Your studio",
            "support_email": "hello@example.com",
            "self_cancel": "choice",
        },
        "locations": [
            {
                "id": "main",
                "name": "Main Street",
                "zone": "America/New_York",
                "currency": "USD",
                "tax_name": "Sales tax",
                "tax_rate": "0.0825",
            }
        ],
        "services": [{"id": "yoga", "name": "Yoga class", "unit": "class"}],
        "products": [
            {
                "id": "yoga-10",
                "name": "Ten-class pass",
                "kind": "package",
                "prices": {"USD": 17000},
                "service": "yoga",
                "credits": 10,
                "validity_months": 6,
                "taxed": True,
            }
        ],
    },
}


class Published(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    catalogue: Catalogue
    staff: tuple[StaffMember, ...] = ()


def read_file(text: str) -> Published:
    """The file's content. `ValidationError` names every place that does not hold."""
    return Published.model_validate_json(text)


def publish(content: Published) -> None:
    """Write the staff members, then the catalogue, which everyone reads from then on."""
    for member in content.staff:
        write_staff_member(member)
    catalogue.publish(content.catalogue)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.publish", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--example", action="store_true", help="print a file to begin with")
    given = parser.parse_args(arguments)
    if given.example:
        print(json.dumps(EXAMPLE, indent=2))
        return 0
    if given.file is None:
        parser.error("name a file, or ask for --example")
    missing = [name for name in ("CATALOGUE_TABLE", "ACCOUNTS_TABLE") if not os.environ.get(name)]
    if missing:
        print(f"Set {' and '.join(missing)} to the stack's outputs.", file=sys.stderr)
        return 2
    try:
        content = read_file(given.file.read_text())
    except OSError as error:
        print(f"{given.file} can't be read: {error.strerror}", file=sys.stderr)
        return 2
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(str(part) for part in problem["loc"])
            print(f"{place}: {problem['msg']}", file=sys.stderr)
        return 1
    publish(content)
    print(f"{len(content.catalogue.products)} products, {len(content.staff)} staff members.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
