"""One measured figure beside its peer."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` and `peers` in `unit`, under what was measured and against what."""

    what: str
    ours: float
    unit: str
    peer: str = ""
    peers: float = 0.0
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """How many times better we are than the peer; 0 without one."""
        if not self.peers or not self.ours:
            return 0.0
        return self.ours / self.peers if self.more_is_better else self.peers / self.ours

    def __str__(self) -> str:
        against = f"  {self.peer}: {self.peers:.4g} {self.unit}, ratio {self.ratio:.2f}" if self.peer else ""
        return f"{self.what}: {self.ours:.4g} {self.unit}{against}"


def fastest(work: Callable[[], object], times: int = 3) -> float:
    """Return the seconds of the fastest of several runs."""
    found = []
    for _turn in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)
