"""Lines between real routers, one a declared link, and the ways by which all others come to what lies behind them.

    controller -- province -- m1 [router.dong] wan1 ------------ wan1 [router.dong-1] eth0 -- m2 -- province: dong-1
                                  198.18.128.0/31                198.18.128.1/31

A router whose uplink leads to another real router is reached over that line only, and so is all of its office: the
province hands packets to the real router at the top of the way in use, and hands packets of the office to its own
router. Which way the routers take among themselves, they find out by OSPF. What is cut, vanishes silently.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from lab.namespaces import CommandError, NetworkNamespace
from lab.scene import Machine, Scene, WanEnd
from lab.ways import ways_in_use

# The kernel would drop what it could deliver to a socket of its own, and we send on to a router first.
_EARLY_DEMUX = Path("/proc/sys/net/ipv4/ip_early_demux")
_FIRST_TABLE = 1000
_ONWARDS, _DELIVER = 200, 1000  # preferences of rules: towards an office behind routers; to whom it belongs


def is_behind(machine: Machine) -> bool:
    """Whether it is reached over a line from another real router."""
    return any(end.up for end in machine.wans)


def office_of(machine: Machine) -> str:
    """Return the prefix of a router's office, for example "10.91.17.64/26"."""
    return str(IPv4Network(f"{machine.address}/{machine.length}", strict=False))


class Wan:
    """The lines between the routers of a scene. Act from the province's thread; all raise OSError, CommandError."""

    def __init__(self, province: NetworkNamespace, scene: Scene, interfaces: Mapping[str, str]) -> None:
        """Lay the province's rules; the lines come with the routers. `interfaces` lead to machines, by their ids."""
        self._province, self._places, self._interfaces = province, scene.places, interfaces
        self._offices = {host.id: host.office for host in scene.hosts}
        self._routers = {machine.id: machine for machine in scene.machines if machine.wans}
        self._tables = {name: _FIRST_TABLE + number for number, name in enumerate(self._routers)}
        self._here: dict[str, NetworkNamespace] = {}
        self._cut: frozenset[str] = frozenset()
        self._tops: dict[str, str] = {}  # the router at the top, "" for none, by the prefix of the office
        if self._routers:
            _EARLY_DEMUX.write_text("0")
            province.ip(self._rules())

    def crosses(self, address: str) -> bool:
        """Whether packets of `address` come to the province by another way than those to it leave."""
        own = IPv4Address(address)
        return any(own in IPv4Network(office_of(machine)) for machine in self._routers.values())

    def arrived(self, name: str, namespace: NetworkNamespace) -> None:
        """Join the router `name`, which has just been given `namespace`, to those that are there."""
        if name not in self._routers:
            return
        machine, near = self._routers[name], self._interfaces[name]
        self._province.ip([f"route replace default via {machine.address} dev {near} onlink table {self._tables[name]}"])
        self._here[name] = namespace
        for end in machine.wans:
            if end.peer in self._here:
                self._join(name, end)

    def left(self, name: str) -> None:
        """Take the lines of the router `name` away: its neighbours see them go, as with a power cut."""
        if self._here.pop(name, None):
            for end in self._routers[name].wans:
                self._remove(end.peer, end.link)

    def follow(self, cuts: Collection[str]) -> None:
        """Cut and mend the lines, and enter by the routers that now lead to the offices."""
        dead = frozenset(
            end.link
            for name, machine in self._routers.items()
            for end in machine.wans
            if {end.link, name, end.peer, self._offices[name], self._offices[end.peer]} & set(cuts)
        )
        changed, self._cut = dead ^ self._cut, dead
        for name, machine in self._routers.items():
            for end in machine.wans:
                if end.link in changed and name in self._here and end.peer in self._here:
                    self._shape(name, end)
        self._enter(cuts)

    def _rules(self) -> Iterator[str]:
        yield f"rule add pref {_DELIVER} lookup local"
        yield "rule del pref 0"
        yield f"rule add pref {_ONWARDS} nop"
        for name, machine in self._routers.items():
            near, prefix, table = self._interfaces[name], office_of(machine), self._tables[name]
            yield f"route add blackhole default metric 9999 table {table}"
            yield f"rule add pref 100 iif {near} to {prefix} goto {_DELIVER}"
            yield f"rule add pref 110 iif {near} goto {_ONWARDS}"
            if is_behind(machine):
                yield f"rule add pref 120 from {prefix} to {prefix} goto {_DELIVER}"
                yield f"rule add pref 130 from {prefix} lookup {table}"

    def _enter(self, cuts: Collection[str]) -> None:
        ways, real = ways_in_use(self._places, cuts), {self._offices[name]: name for name in self._routers}
        for office, name in real.items():
            if not is_behind(self._routers[name]):
                continue
            top = office
            while (way := ways.get(top)) and way.parent in real:
                top = way.parent
            self._enter_by(office_of(self._routers[name]), real[top] if office in ways else "")

    def _enter_by(self, prefix: str, top: str) -> None:
        before = self._tops.get(prefix)
        if before != top:
            old = [] if before is None else [f"rule del {rule}" for rule in self._entry(prefix, before)]
            self._province.ip([*old, *(f"rule add {rule}" for rule in self._entry(prefix, top))])
            self._tops[prefix] = top

    def _entry(self, prefix: str, top: str) -> Iterator[str]:
        """Yield the rules by which `prefix` is entered: at `top`, and what comes out of it again is lost."""
        if not top:
            yield f"pref {_ONWARDS + 1} to {prefix} blackhole"
            return
        yield f"pref 105 iif {self._interfaces[top]} to {prefix} blackhole"
        yield f"pref {_ONWARDS + 1} to {prefix} lookup {self._tables[top]}"

    def _join(self, name: str, end: WanEnd) -> None:
        here, there, other = self._here[name], self._here[end.peer], self._end(end.peer, end.link)
        self._remove(name, end.link)
        peer = f"peer name {other.interface} mtu 1500 netns /proc/self/fd/{there.descriptor}"
        here.ip([f"link add {end.interface} mtu 1500 type veth {peer}"], [there.descriptor])
        for namespace, side in ((here, end), (there, other)):
            namespace.ip([f"address add {side.address} dev {side.interface}", f"link set {side.interface} up"])
        if end.link in self._cut:
            self._shape(name, end)
            self._shape(end.peer, other)

    def _shape(self, name: str, end: WanEnd) -> None:
        do = "replace" if end.link in self._cut else "del"
        self._here[name].tc([f"qdisc {do} dev {end.interface} root {'blackhole' if do == 'replace' else ''}"])

    def _remove(self, name: str, link: str) -> None:
        if name in self._here:
            with contextlib.suppress(CommandError):  # the kernel may have been quicker
                self._here[name].ip([f"link del {self._end(name, link).interface}"])

    def _end(self, name: str, link: str) -> WanEnd:
        return next(end for end in self._routers[name].wans if end.link == link)
