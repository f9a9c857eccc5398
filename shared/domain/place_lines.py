"""What an invoice says of the places of a reservation ([VOUCHER])."""

from zoneinfo import ZoneInfo

from shared.domain.invoice import InvoiceLine, LineKind
from shared.domain.reservation import Reservation, parts_of


def invoice_lines(reservation: Reservation) -> tuple[InvoiceLine, ...]:
    """The places, and what credits pay of them, negative and taxed as the places are ([VOUCHER]).
    Equal places are one line, so that a charge and the credits that pay all of it come to nothing,
    to the cent."""
    local = reservation.starts_at.astimezone(ZoneInfo(reservation.zone))
    lines: list[InvoiceLine] = []
    for part in parts_of(reservation):
        if part.paid_with is None:
            kind, name, detail = LineKind.SERVICE, reservation.name, f"{local:%Y-%m-%d %H:%M}"
        else:
            kind, name = LineKind.CREDIT, part.paid_with.pack_name
            detail = "Paid with credits" if part.paid_with.credits else "Unlimited pack"
        lines.append(
            InvoiceLine(
                kind=kind,
                name=name,
                detail=detail,
                quantity=part.quantity,
                unit=part.unit,
                amount=part.amount,
                tax=part.tax,
                account_code=reservation.taxed.account_code,
            )
        )
    return tuple(lines)
