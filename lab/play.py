"""The province being played: its namespaces, what is cut and impaired now, and the change from then to now."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lab.machines.fleet import Fleet
from lab.namespaces import CommandError, NetworkNamespace
from lab.scene import Scene
from lab.ways import PERFECT, Impairment, answering, effects, rates
from lab.wires import answer_for, lay_detour, lay_wires, send_by_detour


class UnknownNameError(LookupError):
    """No part of the province is called `name`; `near` are the parts of it, or those whose names resemble it."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        own = [one for one in names if one.startswith(f"{name}.")]  # the links of an office
        self.name, self.near = name, own[:3] or get_close_matches(name, names, n=3, cutoff=0.6)
        super().__init__(name)


class NotAMachineError(LookupError):
    """The device is played by responders, or not at all: it has no power switch and no disk. The message is its id."""


@dataclass
class Troubles:
    """What is wrong on purpose: ids of cut offices, links and devices; impairments by link."""

    cuts: set[str] = field(default_factory=set)
    impairments: dict[str, Impairment] = field(default_factory=dict)


class Play:
    """The namespaces of a scene. Every change is the difference between two pure functions of the troubles."""

    def __init__(self, scene: Scene, machines: Path) -> None:
        """Lay the wires; this thread stays in the province. `machines` is the folder of the real machines' disks.

        Raises OSError, CommandError.
        """
        self.scene = scene
        self.troubles = Troubles()
        self.relay: subprocess.Popen[bytes] | None = None
        self._links = {way.link for place in scene.places for way in place.ways}
        self._devices = {host.id for host in scene.hosts}
        self._offices = {place.id for place in scene.places}
        self._answering: frozenset[str] = frozenset()
        self._effects: dict[str, Impairment] = {}
        self.controller = NetworkNamespace.current()
        self._province = NetworkNamespace.fresh()
        lay_wires(self.controller, self._province, scene.networks)
        self.fleet = Fleet(scene, machines, self._province)
        self._apply()

    @property
    def silent(self) -> int:
        """How many devices do not answer now."""
        return len(self.scene.hosts) - len(self._answering)

    def cut(self, parts: Iterable[str]) -> None:
        """Take offices (with all that lies behind them), links or devices away. Raises UnknownNameError."""
        self.troubles.cuts |= self._known(parts)
        self._apply()

    def restore(self, parts: Iterable[str]) -> None:
        """Bring `parts` back as they were declared; without any, everything. Raises UnknownNameError."""
        named = self._known(parts) or self.troubles.cuts | self.troubles.impairments.keys()
        self.troubles.cuts -= named
        for link in named & self.troubles.impairments.keys():
            del self.troubles.impairments[link]
        self._apply()

    def impair(self, link: str, impairment: Impairment) -> None:
        """Let `link` lose and delay packets from now on. Raises UnknownNameError."""
        if link not in self._links:
            raise UnknownNameError(link, self._links)
        self.troubles.impairments[link] = impairment
        if impairment == PERFECT:
            del self.troubles.impairments[link]
        self._apply()

    def knows_device(self, device: str) -> None:
        """Raise UnknownNameError unless `device` is one."""
        if device not in self._devices:
            raise UnknownNameError(device, self._devices)

    def switch(self, device: str, on: bool) -> None:
        """Cut the power of a real machine, or give it back. Raises UnknownNameError, NotAMachineError."""
        self._is_machine(device)
        self.fleet.switch(device, on)

    def fill_disk(self, device: str, full: bool) -> None:
        """Fill the disk of a real machine, or free it. Raises UnknownNameError, NotAMachineError."""
        self._is_machine(device)
        disk = self.fleet.body(device).disk
        disk.fill() if full else disk.free()

    async def greet_machines(self, devices: Iterable[str]) -> dict[str, Any]:
        """Return the real machines whose sshd does not greet, `silent`, and what those said that have failed, `ended`.

        Raises UnknownNameError, NotAMachineError.
        """
        asked = list(devices)
        for device in asked:
            self._is_machine(device)
        return {"silent": await self.fleet.silent(asked), "ended": self.fleet.last_words(asked)}

    def buried(self, pid: int) -> bool:
        """Whether the dead child `pid` was ours; then its own object has taken note."""
        if self.relay and pid == self.relay.pid:
            self.relay.poll()
            return True
        return self.fleet.buried(pid)

    def _is_machine(self, device: str) -> None:
        self.knows_device(device)
        if device not in self.fleet.states():
            raise NotAMachineError(device)

    def _known(self, parts: Iterable[str]) -> set[str]:
        known = self._offices | self._links | self._devices
        for part in parts:
            if part not in known:
                raise UnknownNameError(part, known)
        return set(parts)

    def _apply(self) -> None:
        now, real = answering(self.scene, self.troubles.cuts), self.fleet.addresses
        answer_for(self._province, self._answering - real, now - real)
        self.fleet.reach(now & real, self.troubles.cuts)
        self._answering = now
        found = effects(self.scene.places, self.troubles.cuts, self.troubles.impairments)
        if found == self._effects:
            return
        self.fleet.limit(rates(self.scene, found))
        self._tell_relay(found)
        send_by_detour(self.controller, self._effects, found)
        self._effects = found

    def _tell_relay(self, found: dict[str, Impairment]) -> None:
        """Hand the relay its table, and start it if it is the first; it holds from when this returns."""
        if self.relay is None or self.relay.poll() is not None:
            self._start_relay()
        assert self.relay
        assert self.relay.stdin
        assert self.relay.stdout
        self.relay.stdin.write(json.dumps(found).encode() + b"\n")
        self.relay.stdin.flush()
        if self.relay.stdout.readline() != b"ready\n":
            raise CommandError(f"the relay ended with code {self.relay.wait()}")

    def _start_relay(self) -> None:
        if self.relay is None:
            self._lay_detour()
        self.relay = subprocess.Popen(
            [sys.executable, "-m", "lab.relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=self._wan.enter,
        )

    def _lay_detour(self) -> None:
        try:
            self._wan = NetworkNamespace.fresh()
        finally:
            self._province.enter()
        lay_detour(self.controller, self._province, self._wan)


def memory_of(pids: Iterable[int]) -> int:
    """Return the resident memory of processes of this PID namespace, in bytes."""
    pages = 0
    for pid in pids:
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
