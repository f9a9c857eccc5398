"""Which payment providers there are ([MANY])."""

NAMES = ("cardpointe", "sandbox", "stripe")
