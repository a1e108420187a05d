"""Rollouts as metrics: how many devices are in which state, which wave is under way, and how each rollout stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class RolloutFigures:
    """One rollout: the newest of its name. `devices` counts all states that there are; `wave` counts from 1."""

    rollout: str  # its name
    id: str
    job: str
    author: str
    status: str
    wave: int  # the one under way, 0 before the first
    waves: int
    devices: Mapping[str, int]


class RolloutCollector(Collector):
    """Tells the figures that it was last given. None: they could not be read, and nothing old is repeated."""

    def __init__(self, statuses: Sequence[str]) -> None:
        """Take all statuses that a rollout can have."""
        self._statuses = tuple(statuses)
        self.figures: Sequence[RolloutFigures] | None = ()

    def collect(self) -> Iterable[Family]:
        """Return the families, each complete."""
        readable = "Whether the rollouts could be read from the ledger."
        yield GaugeMetricFamily("tuyen_rollouts_read_success", readable, self.figures is not None)
        figures = self.figures or ()
        info = GaugeMetricFamily(
            "tuyen_rollout_info", "What a rollout carries, and who began it; always 1.", labels=_INFO
        )
        wave = GaugeMetricFamily("tuyen_rollout_wave", "The wave under way, 0 before the first.", labels=["rollout"])
        waves = GaugeMetricFamily("tuyen_rollout_waves", "How many waves there are.", labels=["rollout"])
        devices = GaugeMetricFamily(
            "tuyen_rollout_devices", "Devices of the rollout by their state.", labels=["rollout", "state"]
        )
        status = GaugeMetricFamily(
            "tuyen_rollout_status",
            "1 for the status that the rollout is in, 0 for the others.",
            labels=["rollout", "status"],
        )
        for one in figures:
            info.add_metric([one.rollout, one.id, one.job, one.author], 1)
            wave.add_metric([one.rollout], one.wave)
            waves.add_metric([one.rollout], one.waves)
            for state, count in one.devices.items():
                devices.add_metric([one.rollout, state], count)
            for other in self._statuses:
                status.add_metric([one.rollout, other], other == one.status)
        yield from (info, wave, waves, devices, status)


_INFO = ["rollout", "id", "job", "author"]
