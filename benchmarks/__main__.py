"""Run every benchmark, or those that are named: `python -m benchmarks [NAME...]`."""

import sys
from collections.abc import Callable, Iterator, Mapping

from benchmarks import fleet, inventory_load, page, provision, report, rollout, scrape, states, watch
from benchmarks.figure import Figure

BENCHMARKS: Mapping[str, Callable[[], Iterator[Figure]]] = {
    "inventory": inventory_load.measure,
    "scrape": scrape.measure,
    "fleet": fleet.measure,
    "states": states.measure,
    "watch": watch.measure,
    "provision": provision.measure,
    "rollout": rollout.measure,
    "report": report.measure,
    "page": page.measure,
}


def main(names: list[str]) -> None:
    """Print each figure as it comes."""
    for name in names or BENCHMARKS:
        if name not in BENCHMARKS:
            raise SystemExit(f"no benchmark is called '{name}'; there are {', '.join(BENCHMARKS)}")
        for figure in BENCHMARKS[name]():
            print(figure, flush=True)


main(sys.argv[1:])
