"""The line between a machine and the province: a pair of interfaces, laid anew at each start of the machine.

    province                                machine, a network namespace of its own
    m7 (no address) ----------------------- eth0 10.91.17.72/26, default by its office's gateway

The province's side answers for the gateway and, by proxy ARP, for every other address, so what passes is routed
there. One route leads to the machine. Without it packets to the machine fall into the blackhole of their network,
and the reverse path filter drops those from it: both vanish silently, as behind a cut line. In offices of routers
with lines of their own (lab.machines.wan), packets come and go by different ways: there the machine's end drops them.
"""

from pathlib import Path

from lab.machines.wan import Wan, is_behind
from lab.namespaces import NetworkNamespace
from lab.scene import Machine

_MAC = "02:00:00:00:00:fe"  # of the province's side, everywhere
_SETTINGS = {"conf/{}/proxy_arp": "1", "neigh/{}/proxy_delay": "0"}
_FILTERED = {"conf/{}/rp_filter": "1"}
# What has left the province comes back into it here; a router's advice to go a shorter way is not for it.
_CROSSED = {"conf/{}/rp_filter": "0", "conf/{}/accept_local": "1", "conf/{}/accept_redirects": "0"}
_IPV4 = Path("/proc/sys/net/ipv4")
_QUEUE = 300  # milliseconds that a packet waits at most for a slow line


def forward_packets() -> None:
    """Let the namespace of this thread pass packets on. Raises OSError."""
    (_IPV4 / "ip_forward").write_text("1")


class Line:
    """The line of `machine`; its side in the province is the interface `name`. Act from the province's thread."""

    def __init__(self, province: NetworkNamespace, name: str, machine: Machine, wan: Wan) -> None:
        self._province, self._name, self._machine, self._wan = province, name, machine, wan
        self._filtered = not wan.crosses(machine.address)
        self._far: NetworkNamespace | None = None
        self._open = True
        self._rate = 0.0

    def lay(self) -> NetworkNamespace:
        """Lay it and return the machine's new namespace. Raises OSError, CommandError."""
        far = NetworkNamespace.apart()
        near_end = f"link add {self._name} address {_MAC} mtu 1500 type veth"
        far_end = f"peer name eth0 address {self._machine.mac} mtu 1500 netns /proc/self/fd/{far.descriptor}"
        self._province.ip([f"{near_end} {far_end}"], [far.descriptor])
        for setting, value in {**_SETTINGS, **(_FILTERED if self._filtered else _CROSSED)}.items():
            (_IPV4 / setting.format(self._name)).write_text(value)
        self._province.ip([f"link set {self._name} up", self._neighbour(), *([self._route()] if self._open else [])])
        far.ip(self._far_side())
        self._far = far
        if self._rate or self._lost:
            self._shape()
        self._wan.arrived(self._machine.id, far)
        return far

    def remove(self) -> None:
        """Take it away with the machine's namespace. Raises CommandError."""
        if self._far:
            self._wan.left(self._machine.id)
            self._province.ip([f"link del {self._name}"])
            self._far.close()
            self._far = None

    def reach(self, is_open: bool) -> None:
        """Let packets pass, or vanish. Raises CommandError."""
        if self._far and is_open != self._open:
            self._province.ip([self._route() if is_open else self._route("del")])
        before, self._open = self._lost, is_open
        if self._lost != before:
            self._shape()

    def limit(self, rate: float) -> None:
        """Let at most `rate` bit/s pass in each direction; 0 for as much as there is. Raises CommandError."""
        if rate != self._rate:
            self._rate = rate
            self._shape()

    def _shape(self) -> None:
        """Queue what leaves either end; where no filter drops what comes from a machine that is cut off, do it here."""
        if self._far:
            self._province.tc([_queue(self._name, self._rate)])
            self._far.tc(["qdisc replace dev eth0 root blackhole" if self._lost else _queue("eth0", self._rate)])

    @property
    def _lost(self) -> bool:
        return not (self._open or self._filtered)

    def _route(self, do: str = "add") -> str:
        return f"route {do} {self._machine.address}/32 dev {self._name}"

    def _neighbour(self) -> str:
        return f"neighbour replace {self._machine.address} lladdr {self._machine.mac} dev {self._name} nud permanent"

    def _far_side(self) -> list[str]:
        here, gateway = self._machine, self._machine.gateway
        lines = ["link set lo up", f"address add {here.address}/{here.length} dev eth0", "link set eth0 up"]
        if is_behind(here):
            return lines  # its ways come by OSPF
        if not gateway:
            return [*lines, "route add default dev eth0"]
        fixed = f"neighbour replace {gateway} lladdr {_MAC} dev eth0 nud permanent"
        return [*lines, fixed, f"route add default via {gateway}"]


def _queue(interface: str, rate: float) -> str:
    if not rate:
        return f"qdisc replace dev {interface} root pfifo"
    burst = max(3200, int(rate / 8 / 50))  # bytes: two packets, or what 20 ms bring
    return f"qdisc replace dev {interface} root tbf rate {int(rate)}bit burst {burst} latency {_QUEUE}ms"
