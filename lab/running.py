"""A lab that is up: what it says of itself, and what it can be told to do."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory.language import _
from lab.control import absent, ask
from lab.errors import AbsentError, LabError, StartError
from lab.files import AUTHORITY, STATE, is_alive, remove_leftovers
from lab.ways import Impairment

_GRACE, _DEADLINE = 3.0, 15.0  # seconds to go by itself, and to be gone at all
_SLOWEST, _FASTEST = 8_000, 10_000_000_000  # bit/s


@dataclass(frozen=True, slots=True)
class Status:
    """How a lab is: counts, what is cut (ids) and impaired (by link), uptime in seconds, memory in bytes.

    `machines` tells of each real machine whether it is off, starting, up, or failed (it ended by itself).
    """

    province: str
    offices: int
    devices: int
    ports: int
    silent: int
    cuts: tuple[str, ...]
    impairments: Mapping[str, Impairment]
    uptime: float
    memory: int
    machines: Mapping[str, str]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> "Status":
        """Return the status that the keeper's answer holds."""
        impairments = {link: Impairment(*values) for link, values in answer["impairments"].items()}
        return cls(**{**answer, "cuts": tuple(answer["cuts"]), "impairments": impairments})


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up. `holder` is the process whose namespaces commands enter; all methods raise LabError."""

    folder: Path
    holder: int
    leash: int = field(default=-1, repr=False, compare=False)  # open file: the lab ends when it closes

    @property
    def authority(self) -> Path:
        """The file with the certificate of the lab's authority (PEM)."""
        return self.folder / AUTHORITY

    @classmethod
    def load(cls, folder: Path) -> "Lab":
        """Return the lab that is up in `folder`. Raises AbsentError, and then removes what a dead one left."""
        folder = folder.resolve()
        if not is_alive(folder):
            remove_leftovers(folder)
            raise absent(folder)
        try:
            return cls(folder, int(json.loads((folder / STATE).read_text())["holder"]))
        except (OSError, ValueError, KeyError):
            raise AbsentError(_("the lab in {folder} is coming up or going down").format(folder=folder)) from None

    def status(self) -> Status:
        """Return how it is now."""
        return Status.read(ask(self.folder, "status"))

    def cut(self, parts: Iterable[str]) -> Status:
        """Take away offices with all that lies behind them, links or devices, by their ids."""
        return Status.read(ask(self.folder, "cut", parts=list(parts)))

    def restore(self, parts: Iterable[str] = ()) -> Status:
        """Bring back `parts`, cut or impaired; without any, everything."""
        return Status.read(ask(self.folder, "restore", parts=list(parts)))

    def impair(
        self, link: str, *, loss: float = 0.0, delay: float = 0.0, jitter: float = 0.0, rate: float = 0
    ) -> Status:
        """Let `link` lose a ratio of packets and delay them by seconds, towards the province; zeros mend it.

        `rate` limits what passes to and from real machines, in bit/s for each machine and direction.
        """
        if not (0 <= loss <= 1 and 0 <= delay <= 60 and 0 <= jitter <= 60):
            raise LabError(_("loss is a ratio from 0 to 1, delay and jitter are at most 60 s"))
        if rate and not _SLOWEST <= rate <= _FASTEST:
            raise LabError(_("a rate is from 8 kbit/s to 10 Gbit/s"))
        return Status.read(ask(self.folder, "impair", link=link, loss=loss, delay=delay, jitter=jitter, rate=rate))

    def power(self, device: str, *, on: bool) -> Status:
        """Cut the power of a real machine at once, or give it back; what it has written stays. Raises NotRealError."""
        return Status.read(ask(self.folder, "power", device=device, on=on))

    def fill_disk(self, device: str, *, full: bool = True) -> Status:
        """Leave a real machine's disk hardly any room, or give it back. Raises NotRealError."""
        return Status.read(ask(self.folder, "disk", device=device, full=full))

    def wait_ssh(self, devices: Iterable[str], seconds: float) -> None:
        """Return as soon as sshd greets on each real machine of `devices`.

        Raises NotRealError; StartError for machines that have ended by themselves, and after `seconds` for those
        that are silent.
        """
        silent, end = list(devices), time.monotonic() + seconds
        while (found := ask(self.folder, "greet", devices=silent))["silent"]:
            silent = found["silent"]
            _complain_of_ended(found["ended"])
            if time.monotonic() > end:
                raise StartError(
                    _("no sshd answers within {seconds:g} s on: {devices}").format(
                        seconds=seconds, devices=", ".join(silent)
                    )
                )
            time.sleep(0.1)

    def set_supply(self, device: str, *, battery: bool) -> Status:
        """Let the ups `device` run on its battery, or on the mains again."""
        return Status.read(ask(self.folder, "supply", device=device, battery=battery))

    def down(self) -> None:
        """End it, and return when nothing of it is left. Raises StartError if something is, after 15 s."""
        with contextlib.suppress(LabError, OSError):
            ask(self.folder, "down")
        if not self._gone_within(_GRACE):
            self._kill()
            if not self._gone_within(_DEADLINE):
                raise StartError(_("the lab is still there; process {pid} holds it").format(pid=self.holder))
        remove_leftovers(self.folder)
        if self.leash >= 0:
            with contextlib.suppress(OSError):
                os.close(self.leash)

    def _kill(self) -> None:
        """End the holder, and with it by the kernel's hand everything else; only while the lab is alive."""
        if is_alive(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.holder, signal.SIGKILL)

    def _gone_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while is_alive(self.folder):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def _complain_of_ended(ended: Mapping[str, str]) -> None:
    """Raise StartError if machines have ended by themselves: what each said last is there."""
    if ended:
        said = "; ".join(f"{machine}: {words}" for machine, words in ended.items())
        raise StartError(_("machines have ended by themselves: {said}").format(said=said))
