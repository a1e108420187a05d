"""Who keeps backups where: each machine an account of its own on the server, opened by its pinned SSH host key."""

from collections.abc import Callable, Iterable

from playbooks.pins import read_pins


def pinned_keys(known_hosts: str, address: str) -> list[str]:
    """Return the host keys that the text `known_hosts` holds for `address`: "ssh-ed25519 AAAA..."."""
    return [f"{pin.kind} {pin.key}" for name, pin in read_pins(known_hosts.splitlines()) if name == address]


def backup_account(address: str) -> str:
    """Return the account of the machine at `address`, for example "bk-10-91-208-8"; it never changes."""
    return f"bk-{address.replace('.', '-')}"


def backup_clients(known_hosts: str, addresses: Iterable[str]) -> list[dict[str, object]]:
    """Return address, account and keys of those machines that have a pinned host key."""
    found = ((address, pinned_keys(known_hosts, address)) for address in addresses)
    return [
        {"address": address, "account": backup_account(address), "host_keys": keys} for address, keys in found if keys
    ]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return the filters by name."""
        return {"backup_account": backup_account, "backup_clients": backup_clients, "pinned_keys": pinned_keys}
