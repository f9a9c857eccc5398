"""What kind of thing a product is: apart from what it is, since orders and pages ask it."""

from enum import StrEnum


class ProductKind(StrEnum):
    RETAIL = "retail"
    PACKAGE = "package"
    SUBSCRIPTION = "subscription"
    ACCESS = "access"
