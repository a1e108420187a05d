"""All real machines of a lab: made from the scene, started a few at a time, cut off and switched by their ids."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from lab.machines import KINDS
from lab.machines.body import Body, State
from lab.machines.disk import Disk, unpack
from lab.machines.furniture import furnish_image, furnish_machine, host_name
from lab.machines.line import Line, forward_packets
from lab.machines.process import System
from lab.machines.wan import Wan
from lab.mounts import memory_folder
from lab.namespaces import CommandError, NetworkNamespace
from lab.scene import Machine, Scene

_AT_ONCE = 8  # machines that start at the same time
_SLOWEST = 120.0  # seconds after which a machine that starts makes room for the next
_GREETING = 1.0  # seconds
_SSH = 22


class Fleet:
    """The machines by their ids. Make it in the province's thread, once the province has its wires."""

    def __init__(self, scene: Scene, folder: Path, province: NetworkNamespace) -> None:
        """Unpack the images and furnish every machine; none runs yet. Raises OSError, CommandError."""
        self._machines = {machine.id: machine for machine in scene.machines}
        self._bodies: dict[str, Body] = {}
        self._watches: set[asyncio.Task[None]] = set()
        if not self._machines:
            return
        forward_packets()
        memory_folder(folder, "16m")
        images = {name: unpack(Path(file), folder / f"image-{name}") for name, file in scene.images.items()}
        for root in images.values():
            furnish_image(root, scene.authorized, scene.name_server)
        names = {machine.id: f"m{number}" for number, machine in enumerate(scene.machines, 1)}
        self._wan = Wan(province, scene, names)
        for machine in scene.machines:
            self._bodies[machine.id] = _make(machine, names[machine.id], images, folder, province, self._wan)

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of the machines: nobody else answers for them."""
        return frozenset(machine.address for machine in self._machines.values())

    def states(self) -> dict[str, str]:
        """Return how each machine is, by its id."""
        return {name: str(body.state) for name, body in self._bodies.items()}

    def body(self, name: str) -> Body:
        """Return the machine `name`. Raises KeyError when it is not real."""
        return self._bodies[name]

    async def start(self) -> None:
        """Start all, a few at a time."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def start(name: str) -> None:
            async with room:
                self._start(name)
                await self._until_up(name)

        await asyncio.gather(*(start(name) for name in self._bodies))

    def _start(self, name: str) -> None:
        """Start one; why one cannot be started stands in the lab's log, and the others start all the same."""
        body = self._bodies[name]
        try:
            body.power_on()
        except (OSError, CommandError) as error:
            body.failed(f"{type(error).__name__}: {error}")

    def switch(self, name: str, on: bool) -> None:
        """Cut the power of the machine `name`, or give it back. Raises KeyError, OSError, CommandError."""
        body = self.body(name)
        if on:
            body.power_on()
            self._watch(name)
        else:
            body.power_off()

    def reach(self, answering: Collection[str], cuts: Collection[str]) -> None:
        """Let packets pass to and from the machines at the addresses `answering`, and no others, while `cuts` hold."""
        if self._machines:
            self._wan.follow(cuts)
        for name, machine in self._machines.items():
            self._bodies[name].line.reach(machine.address in answering)

    def limit(self, rates: Mapping[str, float]) -> None:
        """Let the machine at each address have at most so many bit/s; those that are not named, all."""
        for name, machine in self._machines.items():
            self._bodies[name].line.limit(rates.get(machine.address, 0))

    def buried(self, pid: int) -> bool:
        """Whether the dead child `pid` was a machine of ours; then take note, and start it again if it reboots."""
        for name, body in self._bodies.items():
            if body.buried(pid):
                if body.reboots:
                    self._start(name)
                    self._watch(name)
                return True
        return False

    async def silent(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` whose sshd does not greet now. Raises KeyError."""
        asked = {name: self._machines[name].address for name in names}
        answers = await asyncio.gather(*(greets(address) for address in asked.values()))
        for name, answered in zip(asked, answers, strict=True):
            if answered:
                self._bodies[name].greeted()
        return [name for name, answered in zip(asked, answers, strict=True) if not answered]

    def last_words(self, names: Iterable[str]) -> dict[str, str]:
        """Return what those of `names` said last that have ended by themselves, by their ids. Raises KeyError."""
        failed = (name for name in names if self.body(name).state is State.FAILED)
        return {name: self.body(name).last_words() for name in failed}

    def _watch(self, name: str) -> None:
        task = asyncio.ensure_future(self._until_up(name))
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)

    async def _until_up(self, name: str) -> None:
        """Wait until the machine is up, has ended, or has taken too long."""
        body = self._bodies[name]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SLOWEST):
                while body.state is State.STARTING:
                    if await greets(self._machines[name].address):
                        body.greeted()
                    else:
                        await asyncio.sleep(0.1)


def _make(
    machine: Machine, name: str, images: Mapping[str, Path], folder: Path, province: NetworkNamespace, wan: Wan
) -> Body:
    kind = KINDS[machine.kind]
    disk = Disk(images[kind.IMAGE], folder / name)
    furnish_machine(machine, disk.root)
    kind.furnish(machine, disk.root)
    system = System(name, host_name(machine), disk.root, folder / f"{name}.log", kind.command(machine))
    return Body(system, disk, Line(province, name, machine, wan))


async def greets(address: str) -> bool:
    """Whether an sshd at `address` says what it is."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_GREETING):
            reader, writer = await asyncio.open_connection(address, _SSH)
            try:
                return (await reader.readline()).startswith(b"SSH-2.0-")
            finally:
                writer.close()
    return False
