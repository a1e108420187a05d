"""The lines between the namespaces, and the addresses in the province: what `ip` is told.

    controller                 province
    c0 198.18.0.1 ------------ p0 198.18.0.2    every declared address is local here
    c1 198.18.0.5 -- wan -- p1 198.18.0.6        only while some line is impaired
                   w0   w1

Packets of impaired offices leave by c1 and pass the relay between w0 and w1; answers always come by c0.
No namespace has a default route. Neighbours are fixed, so nothing is ever asked by broadcast.
"""

import contextlib
import fcntl
import socket
import struct
from array import array
from collections.abc import Iterable
from pathlib import Path

from lab.namespaces import NetworkNamespace

CONTROLLER = "198.18.0.1"
_MAC = {"c0": "02:00:00:00:00:c0", "p0": "02:00:00:00:00:a0", "c1": "02:00:00:00:00:c1", "p1": "02:00:00:00:00:a1"}
_SIOCETHTOOL = 0x8946
_OFFLOADS = {"checksum": 0x17, "scatter": 0x19, "segments": 0x1F, "generic": 0x24}  # ETHTOOL_S{TXCSUM,SG,TSO,GSO}


def lay_wires(controller: NetworkNamespace, province: NetworkNamespace, networks: Iterable[str]) -> None:
    """Join the two namespaces and route `networks` to the province, where all of it is silence at first."""
    _end_of(controller, "c0", "p0", province)
    controller.ip(["link set lo up", *_up("c0", f"{CONTROLLER}/30", "198.18.0.2", "p0")])
    controller.ip(f"route add {network} via 198.18.0.2 dev c0 src {CONTROLLER}" for network in networks)
    province.ip(["link set lo up", *_up("p0", "198.18.0.2/30", CONTROLLER, "c0")])
    province.ip(f"route add blackhole {network}" for network in networks)
    _accept_either_way(province)


def lay_detour(controller: NetworkNamespace, province: NetworkNamespace, wan: NetworkNamespace) -> None:
    """Make the second pair of lines, which meet in `wan`. Frames cross it unchanged, so it has no addresses.

    Frames carry the final receiver's hardware address: the kernel drops TCP that arrives by broadcast, and
    the wan's own kernel ignores what is not addressed to it. Checksums are made before the relay sees a frame.
    """
    _end_of(controller, "c1", "w0", wan)
    _end_of(province, "p1", "w1", wan)
    controller.ip(_up("c1", "198.18.0.5/30", "198.18.0.6", "p1"))
    province.ip(_up("p1", "198.18.0.6/30", "198.18.0.5", "c1"))
    wan.ip(["link set w0 up", "link set w1 up"])
    controller.inside(lambda: _no_offload("c1"))
    _accept_either_way(province)


def send_by_detour(controller: NetworkNamespace, old: Iterable[str], new: Iterable[str]) -> None:
    """Route the prefixes `new` through the relay, and no longer those of `old` that are not among them."""
    kept = set(new)
    controller.ip(f"route del {prefix} via 198.18.0.6 dev c1" for prefix in sorted(set(old) - kept))
    controller.ip(
        f"route replace {prefix} via 198.18.0.6 dev c1 src {CONTROLLER}" for prefix in sorted(kept - set(old))
    )


def answer_for(province: NetworkNamespace, old: frozenset[str], new: frozenset[str]) -> None:
    """Make the addresses `new` answer, and no longer those of `old` that are not among them.

    An address that is not local falls to the blackhole of its network: packets vanish, as in real life.
    """
    province.ip(f"route del local {address} dev lo table local" for address in sorted(old - new))
    province.ip(f"route add local {address} dev lo table local" for address in sorted(new - old))


def _end_of(here: NetworkNamespace, name: str, peer: str, there: NetworkNamespace) -> None:
    """Make a pair of veth interfaces, `name` here and `peer` there."""
    mac, peer_mac = (f" address {_MAC[end]}" if end in _MAC else "" for end in (name, peer))
    target = f"/proc/self/fd/{there.descriptor}"
    here.ip(
        [f"link add {name}{mac} mtu 1500 type veth peer name {peer}{peer_mac} mtu 1500 netns {target}"],
        [there.descriptor],
    )


def _up(name: str, address: str, neighbour: str, neighbour_interface: str) -> list[str]:
    return [
        f"address add {address} dev {name}",
        f"link set {name} up",
        f"neighbour replace {neighbour} lladdr {_MAC[neighbour_interface]} dev {name} nud permanent",
    ]


def _accept_either_way(namespace: NetworkNamespace) -> None:
    """Let packets in by the detour although answers leave by the straight line (no reverse path filter).

    A new namespace starts with the host's setting, which is often strict. Where /proc/sys is read-only, as in
    some containers, it stays as it is: then an impaired line loses everything, and the lab is fine otherwise.
    """

    def switch_off() -> None:
        for setting in Path("/proc/sys/net/ipv4/conf").glob("*/rp_filter"):
            with contextlib.suppress(OSError):
                setting.write_text("0")

    namespace.inside(switch_off)


def _no_offload(interface: str) -> None:
    """Have checksums written and segments cut before frames leave `interface`, as on a real wire."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for command in _OFFLOADS.values():
            setting = array("I", [command, 0])  # struct ethtool_value
            request = struct.pack("16sP16x", interface.encode(), setting.buffer_info()[0])  # struct ifreq
            fcntl.ioctl(handle, _SIOCETHTOOL, request)
