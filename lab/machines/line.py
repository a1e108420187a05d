"""The line between a machine and the province: a pair of interfaces, laid anew at each start of the machine.

    province                                machine, a network namespace of its own
    m7 (no address) ----------------------- eth0 10.91.17.72/26, default by its office's gateway

The province's side answers for the gateway and, by proxy ARP, for every other address, so what passes is routed
there. One route leads to the machine. Without it packets to the machine fall into the blackhole of their network,
and the reverse path filter drops those from it: both vanish silently, as behind a cut line.
"""

from pathlib import Path

from lab.namespaces import NetworkNamespace
from lab.scene import Machine

_MAC = "02:00:00:00:00:fe"  # of the province's side, everywhere
_SETTINGS = {"conf/{}/rp_filter": "1", "conf/{}/proxy_arp": "1", "neigh/{}/proxy_delay": "0"}
_IPV4 = Path("/proc/sys/net/ipv4")
_QUEUE = 300  # milliseconds that a packet waits at most for a slow line


def forward_packets() -> None:
    """Let the namespace of this thread pass packets on. Raises OSError."""
    (_IPV4 / "ip_forward").write_text("1")


class Line:
    """The line of `machine`; its side in the province is the interface `name`. Act from the province's thread."""

    def __init__(self, province: NetworkNamespace, name: str, machine: Machine) -> None:
        self._province, self._name, self._machine = province, name, machine
        self._far: NetworkNamespace | None = None
        self._open = True
        self._rate = 0.0

    def lay(self) -> NetworkNamespace:
        """Lay it and return the machine's new namespace. Raises OSError, CommandError."""
        far = NetworkNamespace.apart()
        near_end = f"link add {self._name} address {_MAC} mtu 1500 type veth"
        far_end = f"peer name eth0 address {self._machine.mac} mtu 1500 netns /proc/self/fd/{far.descriptor}"
        self._province.ip([f"{near_end} {far_end}"], [far.descriptor])
        for setting, value in _SETTINGS.items():
            (_IPV4 / setting.format(self._name)).write_text(value)
        self._province.ip([f"link set {self._name} up", self._neighbour(), *([self._route()] if self._open else [])])
        far.ip(self._far_side())
        self._far = far
        if self._rate:
            self._shape()
        return far

    def remove(self) -> None:
        """Take it away with the machine's namespace. Raises CommandError."""
        if self._far:
            self._province.ip([f"link del {self._name}"])
            self._far.close()
            self._far = None

    def reach(self, is_open: bool) -> None:
        """Let packets pass, or vanish. Raises CommandError."""
        if self._far and is_open != self._open:
            self._province.ip([self._route() if is_open else self._route("del")])
        self._open = is_open

    def limit(self, rate: float) -> None:
        """Let at most `rate` bit/s pass in each direction; 0 for as much as there is. Raises CommandError."""
        if rate != self._rate:
            self._rate = rate
            self._shape()

    def _shape(self) -> None:
        if self._far:
            self._province.tc([_queue(self._name, self._rate)])
            self._far.tc([_queue("eth0", self._rate)])

    def _route(self, do: str = "add") -> str:
        return f"route {do} {self._machine.address}/32 dev {self._name}"

    def _neighbour(self) -> str:
        return f"neighbour replace {self._machine.address} lladdr {self._machine.mac} dev {self._name} nud permanent"

    def _far_side(self) -> list[str]:
        here, gateway = self._machine, self._machine.gateway
        lines = ["link set lo up", f"address add {here.address}/{here.length} dev eth0", "link set eth0 up"]
        if not gateway:
            return [*lines, "route add default dev eth0"]
        fixed = f"neighbour replace {gateway} lladdr {_MAC} dev eth0 nud permanent"
        return [*lines, fixed, f"route add default via {gateway}"]


def _queue(interface: str, rate: float) -> str:
    if not rate:
        return f"qdisc del dev {interface} root"
    burst = max(3200, int(rate / 8 / 50))  # bytes: two packets, or what 20 ms bring
    return f"qdisc replace dev {interface} root tbf rate {int(rate)}bit burst {burst} latency {_QUEUE}ms"
