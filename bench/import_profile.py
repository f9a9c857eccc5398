"""Where the time of imports goes, by package: read from what `python -X importtime` says."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SHOWN_MODULES = 60
_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \|( *)(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Import:
    """One module: microseconds of its own, and with what it imported."""

    module: str
    own: int
    whole: int

    @property
    def package(self) -> str:
        """`shared.web` of `shared.web.app`, `boto3` of `boto3.session`."""
        parts = self.module.split(".")
        return ".".join(parts[:2] if parts[0] in ("functions", "shared") else parts[:1])


def imports(said: str) -> Iterator[Import]:
    for own, whole, _, module in _LINE.findall(said):
        yield Import(module, int(own), int(whole))


def profile(runs: Iterable[str]) -> str:
    """A table: packages by their own time, then the modules that take most. Of several runs the
    least of each module counts, as for whoever else was at work the clock on the wall goes on."""
    least: dict[str, Import] = {}
    for said in runs:
        for one in imports(said):
            before = least.get(one.module, one)
            own, whole = min(one.own, before.own), min(one.whole, before.whole)
            least[one.module] = Import(one.module, own, whole)
    found = list(least.values())
    by_package: dict[str, list[Import]] = defaultdict(list)
    for one in found:
        by_package[one.package].append(one)
    total = sum(one.own for one in found) or 1
    lines = [f"{len(found)} modules, {total / 1000:.0f} ms"]
    for package, ones in sorted(by_package.items(), key=lambda pair: -sum(o.own for o in pair[1])):
        own = sum(one.own for one in ones)
        if own * 200 >= total:
            lines.append(f"{own / total:7.1%} {own / 1000:8.1f} ms {len(ones):5}  {package}")
    lines.append("")
    lines += [
        f"{one.own / total:7.1%} {one.own / 1000:8.1f} ms        {one.module}"
        for one in sorted(found, key=lambda one: -one.own)[:SHOWN_MODULES]
    ]
    return "\n".join(lines)
