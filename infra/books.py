"""Takes everything out of a deployment's tables, and puts it into others:
`python -m infra.books export --stack punchcard --into books`, and
`python -m infra.books load --stack other --from books`.

`accounts.jsonl` and `catalogue.jsonl` have every item, one a line, in the form of DynamoDB's own
export; `invoices.csv`, `payments.csv` and `credits.csv` are the same books for people.
`manifest.json` counts the items and has the files' digests; `load` goes by it. The third table,
`access`, holds hashes of sessions and links that expire, and is left out.

Whoever exports while people are about gets no single moment of all of it. For that, export a table
that was restored to one (`--accounts`).
"""

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import boto3
from babel.numbers import get_currency_precision
from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.invoice import Invoice
from shared.domain.money import Money
from shared.domain.pack import Entry
from shared.store import kinds  # noqa: F401 - says how each kind is read
from shared.store.items import document, elsewhere, model_of
from shared.web.csv_file import Cell, harmless

TABLES = ("catalogue", "accounts")
"""In the order in which they are loaded: whatever is due finds a catalogue."""

PAGE = 1000
MAX_ITEMS = 100_000_000
MANIFEST = "manifest.json"
AT_ONCE = 8
CHUNK = 200

Raw = Mapping[str, Any]
"""An item in DynamoDB's own form: `{"pk": {"S": "…"}, …}`."""


class Refused(Exception):
    """Why nothing was done, or nothing more, in a sentence."""


@dataclass(frozen=True)
class Exported:
    """What one file holds."""

    items: int
    digest: str


# --- out -------------------------------------------------------------------------------------


def items_of(client: Any, table: str) -> Iterator[Raw]:
    """Every item of a table, consistently read, page by page."""
    more: dict[str, Any] = {}
    seen = 0
    while True:
        answer = client.scan(TableName=table, ConsistentRead=True, Limit=PAGE, **more)
        yield from answer["Items"]
        seen += len(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        if seen > MAX_ITEMS:
            raise Refused(f"{table} has more than {MAX_ITEMS} items: use DynamoDB's export to S3")
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def export(client: Any, tables: Mapping[str, str], into: Path) -> dict[str, Exported]:
    """Write all items of `tables` (by what they are called here) below `into`, which must be
    empty, and the books for people beside them."""
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise Refused(f"{into} is not empty")
    found = {}
    for name in TABLES:
        with (into / f"{name}.jsonl").open("w") as file:
            found[name] = _write(file, items_of(client, tables[name]))
    manifest = {name: {"items": one.items, "sha256": one.digest} for name, one in found.items()}
    (into / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    write_books(_read(into / "accounts.jsonl"), into)
    return found


def _write(file: TextIO, items: Iterable[Raw]) -> Exported:
    digest, count = hashlib.sha256(), 0
    for item in items:
        line = json.dumps({"Item": item}, sort_keys=True, ensure_ascii=False) + "\n"
        file.write(line)
        digest.update(line.encode())
        count += 1
    return Exported(count, digest.hexdigest())


def _read(path: Path) -> Iterator[Raw]:
    with path.open() as file:
        for line in file:
            item: Raw = json.loads(line)["Item"]
            yield item


INVOICES = ("number", "date", "customer", "location", "state", "currency", "total", "tax", "paid")
PAYMENTS = ("date", "invoice", "customer", "kind", "currency", "amount", "charge", "by", "note")
CREDITS = ("date", "customer", "pack", "entry", "credits", "left", "reason", "reservation", "by")


def write_books(items: Iterable[Raw], into: Path) -> None:
    """Invoices, payments and credits as CSV files that are safe to open in a spreadsheet. What
    this version can't read is in the other files all the same."""
    files = {
        "invoices": (INVOICES, _invoice_rows),
        "payments": (PAYMENTS, _payment_rows),
        "credits": (CREDITS, _credit_rows),
    }
    open_files = {name: (into / f"{name}.csv").open("w", newline="") for name in files}
    try:
        for name, (header, _) in files.items():
            _row(open_files[name], header)
        for item in items:
            model = model_of(item["kind"]["S"])
            if model not in (Invoice, Entry):
                continue
            value = model.model_validate_json(document(item))
            for name, (_, rows) in files.items():
                for row in rows(value):
                    _row(open_files[name], row)
    finally:
        for file in open_files.values():
            file.close()


def _row(file: TextIO, cells: Iterable[Cell]) -> None:
    csv.writer(file, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])


def _plain(amount: Money) -> str:
    decimals = get_currency_precision(amount.currency)
    return f"{Decimal(amount.minor).scaleb(-decimals):f}"


def _invoice_rows(value: Invoice | Entry) -> Iterator[list[Cell]]:
    if isinstance(value, Invoice):
        yield [
            value.number or value.order_id,
            value.created_at.isoformat(),
            value.customer_id,
            value.location_id,
            value.state.value,
            value.currency,
            *(_plain(amount) for amount in (value.total, value.tax, value.paid)),
        ]


def _payment_rows(value: Invoice | Entry) -> Iterator[list[Cell]]:
    if isinstance(value, Invoice):
        for one in value.payments:
            yield [
                one.at.isoformat(),
                value.number or value.order_id,
                value.customer_id,
                one.kind.value,
                one.amount.currency,
                _plain(one.amount),
                one.charge_id,
                one.by,
                one.note,
            ]


def _credit_rows(value: Invoice | Entry) -> Iterator[list[Cell]]:
    if isinstance(value, Entry):
        yield [
            value.at.isoformat(),
            value.customer_id,
            value.pack_id,
            value.kind.value,
            value.delta,
            value.left,
            value.reason,
            value.reservation_id,
            value.by,
        ]


# --- in --------------------------------------------------------------------------------------


def load(client: Any, tables: Mapping[str, str], source: Path) -> dict[str, int]:
    """Put what was exported into `tables`; returns how many items were not there before. What is
    there already and the same is passed over, so it may be repeated after it broke off.

    Raises `Refused` when the files are not whole, and at the first item that is there and is
    another one: nothing is ever replaced. Whatever is due becomes due at once: nothing may sweep
    these tables yet.
    """
    manifest = json.loads((source / MANIFEST).read_text())
    for name in TABLES:
        _check_whole(source / f"{name}.jsonl", manifest[name])
    put = {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for name in TABLES:
            items = _read(source / f"{name}.jsonl")
            put[name] = 0
            while chunk := list(islice(items, CHUNK)):
                put[name] += sum(threads.map(partial(_put, client, tables[name]), chunk))
    return put


def _check_whole(path: Path, expected: Mapping[str, Any]) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for line in file:
            digest.update(line)
    if digest.hexdigest() != expected["sha256"]:
        raise Refused(f"{path} is not what was exported")


def _put(client: Any, table: str, item: Raw) -> bool:
    for sk in elsewhere(item):
        key = {"pk": item["pk"], "sk": {"S": sk}}
        if client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item"):
            raise Refused(f"{table} holds another {key['pk']['S']} {sk}")
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        key = {"pk": item["pk"], "sk": item["sk"]}
        there = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if there != item:
            raise Refused(f"{table} holds another {key['pk']['S']} {key['sk']['S']}") from error
        return False
    return True


# --- the command -----------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.books", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, direction in (("export", "--into"), ("load", "--from")):
        command = commands.add_parser(name)
        command.add_argument("--stack", required=True, help="the stack's name")
        command.add_argument(direction, dest="directory", type=Path, required=True)
        for table in TABLES:
            command.add_argument(
                f"--{table}", metavar="TABLE", help="another table than the stack's"
            )
    return run(parser.parse_args(arguments), boto3.client("dynamodb"))


def run(given: argparse.Namespace, client: Any) -> int:
    tables = {name: getattr(given, name) or f"{given.stack}-{name}" for name in TABLES}
    try:
        if given.command == "export":
            for name, found in export(client, tables, given.directory).items():
                print(f"{tables[name]}: {found.items} items in {given.directory}/{name}.jsonl")
        else:
            for name, put in load(client, tables, given.directory).items():
                print(f"{tables[name]}: {put} items put")
    except (Refused, OSError, BotoCoreError, ClientError) as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
