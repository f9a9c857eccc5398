"""What is deployed: one module for each function."""

import gc

GARBAGE = 200_000
"""Objects before Python looks for cycles, which it would do several times while a function starts,
and everything that is loaded then stays."""

gc.set_threshold(GARBAGE)
