"""A customer's store credit, as pages show it."""

from shared.domain.customer import Customer
from shared.domain.money import Money


def store_credit(customer: Customer) -> tuple[Money, ...]:
    return tuple(
        Money(minor=minor, currency=currency)
        for currency, minor in sorted(customer.store_credit.items())
        if minor
    )
