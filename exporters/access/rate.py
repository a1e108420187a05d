"""How often one address may try: a bucket that a try empties by one and that time fills again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

TRIES = 20  # at once
REFILL = 15.0  # seconds until one more
_MOST = 10_000  # addresses that are remembered


@dataclass
class Rate:
    """Counts tries by address; the 64 bits of an IPv6 address that its owner chooses freely do not count."""

    tries: int = TRIES
    refill: float = REFILL
    clock: Callable[[], float] = time.monotonic
    _full_at: dict[str, float] = field(default_factory=dict)  # when each bucket is full again

    def take(self, address: str) -> float:
        """Count one try. Returns 0, or for how many seconds there is none left."""
        now, key = self.clock(), network_of(address)
        full_at = max(self._full_at.pop(key, now), now) + self.refill
        wait = full_at - now - self.tries * self.refill
        if wait > 0:
            full_at -= self.refill
        self._full_at[key] = full_at  # as the newest
        if len(self._full_at) > _MOST:
            self._forget(now)
        return max(0.0, wait)

    def give_back(self, address: str) -> None:
        """Let the last try not count."""
        key = network_of(address)
        if key in self._full_at:
            self._full_at[key] -= self.refill

    def _forget(self, now: float) -> None:
        kept = {key: at for key, at in self._full_at.items() if at > now}
        self._full_at = dict(list(kept.items())[-_MOST // 2 :])  # the oldest go, should all be in use


def network_of(address: str) -> str:
    """Return by what an address is counted."""
    try:
        read = ip_address(address)
    except ValueError:  # a socket of another kind
        return address
    return str(int(read) >> 64) if isinstance(read, IPv6Address) and not read.ipv4_mapped else address


def is_on_this_machine(address: str) -> bool:
    """Whether somebody asks from this machine, such as a proxy that does not tell for whom."""
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a socket of another kind
        return True
