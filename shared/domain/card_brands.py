"""What card networks are called, by the names that providers and stored cards have for them."""

from collections.abc import Mapping

BRANDS: Mapping[str, str] = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
