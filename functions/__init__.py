"""What is deployed: one module for each function. Here is what comes first when one starts."""

import gc
from importlib import import_module

from shared import ahead

GARBAGE = 200_000
"""Objects before Python looks for cycles, which it would do several times while a function starts,
and everything that is loaded then stays."""

FIRST = ("urllib3", "botocore.session", "pydantic")
"""Libraries that every function needs, loaded while few calls are under way. Python's stack grows
by 16 KB, asked of the system and given back at once: imported from deep within other imports, a
library that happens to work across such an edge asks thousands of times."""

gc.set_threshold(GARBAGE)
ahead.use()
for name in FIRST:
    import_module(name)
