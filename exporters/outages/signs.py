"""What readings tell of power and of lines, kept while nothing new is heard."""

from exporters.outages.blame import Battery
from exporters.outages.course import Open
from exporters.outages.node import Cause, Kind
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.model import Province
from inventory.topology import State

_ON_BATTERY = "tuyen_probe_ups_on_battery"
_PING = "icmp"


class Signs:
    """The batteries that run, by office. A UPS that is not heard keeps what it said last."""

    def __init__(self) -> None:
        self.batteries: dict[str, Battery] = {}

    def take(self, office: str, reading: Reading) -> None:
        """Take what a UPS of an office says."""
        for metric in reading.metrics:
            if metric.name == _ON_BATTERY:
                if metric.value:
                    self.batteries[office] = Battery(reading.at, reading.device, reading.reason)
                elif (known := self.batteries.get(office)) and known.device == reading.device:
                    del self.batteries[office]

    def remember(self, province: Province, outage: Open, at: float) -> None:
        """Take what an outage from before a restart tells: that a UPS was on its battery."""
        device, fault = province.devices.get(outage.node.id), outage.fault
        on_battery = fault.cause is Cause.POWER and fault.state is State.DEGRADED  # nothing else is both
        if device and outage.node.kind is Kind.DEVICE and on_battery:
            self.batteries.setdefault(device.office, Battery(at, device.id, str(fault.evidence.get("why", ""))))


def lossy_gateways(watch: Watch) -> dict[str, str]:
    """Return the gateways of which nothing is wrong but that pings get lost, and what was said of them."""
    found: dict[str, str] = {}
    for device, state in watch.health().devices.items():
        if state is State.DEGRADED and watch.province.devices[device].gateway:
            readings = [watch.latest[key] for key in watch.keys_of(device) if key in watch.latest]
            bad = [reading for reading in readings if not reading.success or reading.degraded]
            if bad and all(r.success and watch.province.modules[r.module].probe == _PING for r in bad):
                found[device] = bad[0].reason
    return found
