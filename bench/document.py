"""`python -m bench.document`: the figures of the last `make bench` into docs/performance.md and its
plots."""

import json
from typing import Any

from bench import plots, report
from bench.report import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "plots"
BEGINS = "<!-- figures: python -m bench.document -->"
ENDS = "<!-- end of the figures -->"


def main() -> None:
    figures: dict[str, Any] = json.loads(report.JSON.read_text())
    PLOTS.mkdir(exist_ok=True)
    (PLOTS / "limits.svg").write_text(plots.bars(figures))
    swept = {
        "by what is stored": _work(figures["growth.sweep_by_stored"]),
        "by what is due": _work(figures["growth.sweep_by_due"]),
    }
    (PLOTS / "sweep.svg").write_text(plots.curves(swept, "calls and units of a sweep, by size"))
    pages = {
        name.removeprefix("growth.page_by_history"): _work(one)
        for name, one in figures.items()
        if name.startswith("growth.page_by_history/")
    }
    worst = dict(sorted(pages.items(), key=lambda one: -one[1][1][-1])[:4])
    (PLOTS / "history.svg").write_text(
        plots.curves(worst, "calls and units of a first page, by invoices")
    )
    about = figures["about"]
    less = {"quick": "`QUICK=1`: fewer repeats, smaller sizes", "small": "`SMALL=1`: smaller sizes"}
    how = next((said for name, said in less.items() if about.get(name)), "")
    said = (
        f"Measured at {about['at']} with CPython {about['python']} on {about['machine']}, "
        f"in {about['seconds']} seconds"
        f"{f', by {how}' if how else ''}."
    )
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGINS)
    after = rest.partition(ENDS)[2]
    table = report.TABLE.read_text().strip()
    DOCUMENT.write_text(f"{before}{BEGINS}\n\n{said}\n\n{table}\n\n{ENDS}{after}")


def _work(figure: dict[str, Any]) -> tuple[list[float], list[float]]:
    return figure["sizes"], [one["calls"] + one["units"] for one in figure["work"]]


if __name__ == "__main__":
    main()
