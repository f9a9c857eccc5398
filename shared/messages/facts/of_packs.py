"""What emails about packs tell."""

from shared.messages.facts.agreement import Agreement
from shared.messages.facts.pack import PackShown
from shared.messages.opening import Facts


class PackFacts(Facts):
    pack: PackShown
    agreement: Agreement | None = None
