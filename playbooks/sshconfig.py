"""OpenSSH client configuration of a run: each target and its jump hosts, by device id, with pinned keys only."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from inventory.export.ssh import quoted
from playbooks.target import Login, Target

CONNECT_SECONDS = 10


def write_ssh_config(path: Path, targets: Iterable[Target]) -> None:
    """Write the configuration by which `ssh -F path DEVICE-ID` reaches each of `targets`; passwords stay out."""
    blocks: dict[str, str] = {}
    for target in targets:
        way = [*target.jumps, target.login]
        for position, login in enumerate(way):
            before = way[position - 1].device if position else ""
            blocks[login.device] = "\n".join(_lines(login, before, target.known_hosts))
    path.write_text("\n\n".join(blocks.values()) + "\n", encoding="utf-8")


def _lines(login: Login, before: str, known_hosts: Path) -> Iterator[str]:
    yield f"Host {login.device}"
    yield f"    HostName {login.address}"
    yield f"    User {login.user}"
    yield f"    Port {login.port}"
    if login.key:
        yield f"    IdentityFile {quoted(login.key)}"
        yield "    IdentitiesOnly yes"
    if before:
        yield f"    ProxyJump {before}"
    yield f"    UserKnownHostsFile {quoted(str(known_hosts))}"
    yield "    GlobalKnownHostsFile /dev/null"
    yield "    StrictHostKeyChecking yes"
    yield "    UpdateHostKeys no"
    yield f"    ConnectTimeout {CONNECT_SECONDS}"
    yield "    ServerAliveInterval 5"
    yield "    ServerAliveCountMax 3"
    if not login.password:
        yield "    BatchMode yes"
