"""A device as drivers see it: how it is reached, and with what values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inventory.model import Device


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom. `key` is "" for the agent's and the account's own keys; `password` is never shown."""

    device: str  # id
    address: str
    user: str
    port: int = 22
    key: str = ""  # path of a private key
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """One device of a batch. `jumps` lead to it, the first is the nearest to us; host keys are in `known_hosts`.

    `variables` hold the job's variables with secrets resolved, and under "tuyen" what the inventory knows.
    """

    device: Device
    login: Login
    jumps: tuple[Login, ...]
    known_hosts: Path
    variables: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        """The device's id."""
        return self.device.id
