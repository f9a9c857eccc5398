"""Tables as CSV files: UTF-8, one header row, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

CSV = "text/csv; charset=utf-8"

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_ASCII_STARTS = "=+-@\t\r\n"
_WIDE_STARTS = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
_BEGINS_FORMULA = frozenset(_ASCII_STARTS + _WIDE_STARTS + "\N{FULLWIDTH COMMERCIAL AT}")
"""What a spreadsheet may take for a formula, with the wide forms that some of them also read."""

Cell = str | int | None


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as a file. Text that a spreadsheet would work out as a formula is put behind an
    apostrophe; numbers stay numbers, None is empty."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return written.getvalue().encode()


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet carries out."""
    if not isinstance(cell, str) or not cell or _NUMBER.fullmatch(cell):
        return cell
    begins = cell[0] in _BEGINS_FORMULA or cell.lstrip()[:1] in _BEGINS_FORMULA
    return f"'{cell}" if begins else cell
