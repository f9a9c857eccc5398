"""Unit tests read time zones from the pinned `tzdata` package, never from the machine."""

import zoneinfo

zoneinfo.reset_tzpath(to=())
