"""The merchant's settings alone: as much of what staff write of their business as emails need."""

from shared.domain.definition import Definition
from shared.domain.settings import Settings


class Merchant(Definition):
    settings: Settings
