"""How many may come together."""

MAX_PARTICIPANTS = 20
"""How many may come with one reservation, and so with one standing place."""
