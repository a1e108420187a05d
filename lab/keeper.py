"""The keeper: the process that is a lab. When it goes, everything of the lab goes with it.

`lab.practice.up` starts it as process 1 of its own PID namespace, in mount and network namespaces of its
own: the kernel ends every process of that namespace with it, and frees interfaces and mounts with the
processes. It reads the scene from its standard input, a line of JSON, and says on its standard output
whether it is up. While the input stays open it is on a leash: it ends when the input ends, unless it was
told to stay.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab.certificates import Authority
from lab.files import CONTROL, MACHINES, STAY, open_folder
from lab.listeners import Listeners, TooManyFilesError
from lab.mirror import serve_mirror
from lab.mounts import memory_folder, mount
from lab.namespaces import CommandError
from lab.packages.command import RepositoryError
from lab.play import NotAMachineError, Play, UnknownNameError, memory_of
from lab.scene import Scene, read_scene
from lab.ways import Impairment

_CONFIGURATION = {"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n"}


class Keeper:
    """A lab that is up: what it plays, and who asks it to do what."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        """Bring everything up but the control socket. Raises OSError, CommandError."""
        self._began = time.monotonic()
        self._ended = asyncio.Event()
        authority = Authority(_hide_files(folder, scene))
        (folder / "ca.pem").write_bytes(authority.certificate)
        self._play = Play(scene, folder / MACHINES)
        self._listeners = Listeners(scene, authority)
        self._ports = self._listeners.open()
        if scene.repository:
            serve_mirror(Path(scene.repository), self._play.controller)
        self._commands: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "status": lambda _asked: None,
            "cut": lambda asked: self._play.cut(asked["parts"]),
            "restore": lambda asked: self._play.restore(asked["parts"]),
            "impair": self._impair,
            "supply": self._supply,
            "power": lambda asked: self._play.switch(asked["device"], asked["on"]),
            "disk": lambda asked: self._play.fill_disk(asked["device"], asked["full"]),
            "down": lambda _asked: self._ended.set(),
        }

    async def stay(self) -> None:
        """Answer on the control socket until somebody ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        loop.add_signal_handler(signal.SIGCHLD, self._bury)
        loop.add_reader(sys.stdin.fileno(), self._follow_leash)
        starting = asyncio.create_task(self._play.fleet.start())
        await self._ended.wait()
        await asyncio.sleep(0.05)  # the answer to "down" leaves first
        starting.cancel()

    async def listen(self, folder: Path) -> None:
        """Open the control socket."""
        await asyncio.start_unix_server(self._converse, sock=_control_socket(folder))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            if asked["do"] == "greet":
                return await self._play.greet_machines(asked["devices"])
            self._commands[asked["do"]](asked)
        except UnknownNameError as error:
            return {"unknown": error.name, "near": error.near}
        except NotAMachineError as error:
            return {"not_real": str(error)}
        except (KeyError, TypeError, ValueError, OSError, CommandError) as error:
            return {"failed": f"{type(error).__name__}: {error}"}
        return self._status()

    def _impair(self, asked: Mapping[str, Any]) -> None:
        self._play.impair(asked["link"], Impairment(*(asked[name] for name in Impairment._fields)))

    def _supply(self, asked: Mapping[str, Any]) -> None:
        self._play.knows_device(asked["device"])
        self._listeners.run_on(asked["device"], asked["battery"])

    def _status(self) -> dict[str, Any]:
        play, relay = self._play, self._play.relay
        pids = [os.getpid(), *([relay.pid] if relay and relay.poll() is None else [])]
        return {
            "province": play.scene.province,
            "offices": len(play.scene.places),
            "devices": len(play.scene.hosts),
            "ports": self._ports,
            "silent": play.silent,
            "cuts": sorted(play.troubles.cuts),
            "impairments": dict(sorted(play.troubles.impairments.items())),
            "uptime": time.monotonic() - self._began,
            "memory": memory_of(pids),
            "machines": play.fleet.states(),
        }

    def _follow_leash(self) -> None:
        said = os.read(sys.stdin.fileno(), 4096)
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        if STAY not in said:
            self._ended.set()

    def _bury(self) -> None:
        """Take leave of dead orphans, which process 1 inherits; the relay and machines are left to the play."""
        with contextlib.suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if not self._play.buried(dead.si_pid):
                    os.waitpid(dead.si_pid, os.WNOHANG)


def _control_socket(folder: Path) -> socket.socket:
    """Return the control socket, for our user only. Bound through its folder: a path may be too long for one."""
    directory = open_folder(folder)
    path = f"/proc/self/fd/{directory}/{CONTROL}"
    opened = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    opened.bind(path)
    os.umask(before)
    os.close(directory)
    return opened


def _hide_files(folder: Path, scene: Scene) -> Path:
    """Mount what only this lab shall see; return the folder for keys. Raises OSError, CommandError."""
    mount("-t", "proc", "proc", "/proc", needed=bool(scene.machines))  # refused in some containers: the host's shows
    if scene.machines:
        mount("-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")  # of this lab's own group and those below, no others
    keys = memory_folder(folder / "private", "16m")
    server = scene.name_server
    resolver = f"nameserver {server}\noptions timeout:2 attempts:1\n" if server else "# no DNS server\n"
    for name, text in {**_CONFIGURATION, "resolv.conf": resolver}.items():
        (keys / name).write_text(text)
        if Path("/etc", name).exists():
            mount("--bind", str(keys / name), f"/etc/{name}")
    return keys


def _read_line() -> bytes:
    """Return the first line of the standard input, and leave what follows unread."""
    read = b""
    while not read.endswith(b"\n"):
        more = os.read(sys.stdin.fileno(), 1 << 20)
        if not more:
            sys.exit("the one who starts the lab has gone")
        read += more
    return read


def _report(**outcome: object) -> None:
    """Say on the standard output how it went, and from then on write to the log only."""
    os.write(sys.stdout.fileno(), json.dumps(outcome).encode() + b"\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


async def keep(scene: Scene, folder: Path) -> int:
    """Bring the lab up, say so, and stay; return the code to exit with."""
    try:
        keeper = Keeper(scene, folder)
        await keeper.listen(folder)
    except TooManyFilesError as error:
        _report(too_many_files=str(error))
        return 1
    except (OSError, CommandError, RepositoryError) as error:
        _report(failed=f"{type(error).__name__}: {error}")
        return 1
    _report(ready=True)
    await keeper.stay()
    return 0


def main() -> None:
    """Run as `python -m lab.keeper FOLDER LOCK`; LOCK is the number of the open, locked file."""
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(lock, False)
    sys.exit(asyncio.run(keep(read_scene(_read_line()), folder)))


if __name__ == "__main__":
    main()
