"""Troubles of the watch itself, as far as it can tell of them: that it is silent, only others see."""

from collections.abc import Iterator

from exporters.alerts.trouble import Trouble, trouble
from exporters.watch import Watch

LATE, FILES = NAMES = ("WatchLate", "ProvinceFilesBad")
_QUIET = 60.0  # seconds without a question that found no place, after which the watch keeps up again


class Own:
    """Looks at the watch's own figures."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._since: dict[str, float] = {}
        self._postponed = (watch.postponed, 0.0)

    def troubles(self, at: float) -> Iterator[Trouble]:
        """Yield what is wrong."""
        if self._watch.postponed > self._postponed[0]:
            self._postponed = (self._watch.postponed, at)
        late = at - self._postponed[1] < _QUIET
        for name, bad in ((LATE, late), (FILES, not self._watch.load_good)):
            if bad:
                yield trouble(name, "", self._since.setdefault(name, at))
            else:
                self._since.pop(name, None)

    def ended(self, _trouble: Trouble, at: float) -> float | None:
        """Return now: it knows all of itself."""
        return at
