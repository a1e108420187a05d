"""What a service of tuyen may not do; where more is left to it than systemd could take, a line says what for."""

from collections.abc import Iterator

from exporters.units.place import Place
from exporters.units.unit import Setting, quoted

# What every service does without.
_TAKEN = (
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RemoveIPC", "yes"),
    ("KeyringMode", "private"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallFilter", "~@privileged @resources"),
    ("SystemCallErrorNumber", "EPERM"),
    ("UMask", "0027"),
)


def hardening(
    place: Place, *, writes: tuple[str, ...] = (), network: bool = False, may: tuple[tuple[str, str], ...] = ()
) -> Iterator[Setting]:
    """Yield the settings of a service that writes the folders `writes`; `may` are capabilities, with their reasons."""
    yield from (Setting(key, value) for key, value in _TAKEN)
    yield from _files(place, writes)
    yield from _network(network=network)
    yield from _capabilities(may)
    why = "Not ProcSubset=pid: who holds a lock is told by /proc/locks and the boot's id in /proc/sys."
    yield Setting("ProtectProc", "invisible", why)


def _files(place: Place, writes: tuple[str, ...]) -> Iterator[Setting]:
    yield Setting("ReadWritePaths", quoted(place.state), "The ledger, pinned host keys, logs.")
    for path in writes:
        yield Setting("ReadWritePaths", f"-{quoted(path)}")
    if place.is_at_home:
        yield Setting("ProtectHome", "read-only", "Not yes: the province or the program lies below a home.")
    else:
        yield Setting("ProtectHome", "yes")
    if place.shared:
        yield Setting("RestrictSUIDSGID", "no", "Not yes: new folders of the state belong to the province's group.")
    else:
        yield Setting("RestrictSUIDSGID", "yes")


def _network(*, network: bool) -> Iterator[Setting]:
    if network:
        yield Setting("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6", "It asks the province's devices.")
        return
    yield from (Setting("PrivateNetwork", "yes"), Setting("RestrictAddressFamilies", "AF_UNIX"))
    yield Setting("IPAddressDeny", "any")


def _capabilities(may: tuple[tuple[str, str], ...]) -> Iterator[Setting]:
    if not may:
        yield from (Setting("PrivateUsers", "yes"), Setting("CapabilityBoundingSet", ""))
        return
    for capability, why in may:
        yield Setting("CapabilityBoundingSet", capability, f"{why} With it, PrivateUsers= cannot be had.")
        yield Setting("AmbientCapabilities", capability)
