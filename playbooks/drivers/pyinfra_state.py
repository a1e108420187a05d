"""pyinfra's state, made for devices that go their own ways: none waits for another, and none fails for another."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyinfra.api.config import Config
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_host

from playbooks.drivers.pyinfra_connector import PinnedConnector
from playbooks.drivers.pyinfra_voice import ORDER, VOICE, Channel, Voice

_TEMPORARY = "/tmp"  # noqa: S108  (on the device, and never used: uploads to root wait in a private folder)


class UnansweredError(PyinfraError):
    """A device could not be asked for a fact, so nothing may be concluded about it."""


class Devices(State):
    """The devices of a batch."""

    def __init__(self, inventory: Inventory, config: Config) -> None:
        """Take them; nothing is asked while operations are only being gathered."""
        self.executing: set[Host] = set()
        super().__init__(inventory, config, check_for_changes=False)

    @property
    def is_executing(self) -> bool:  # type: ignore[override]  # pyinfra sets it for all hosts at once
        """Whether the device of this greenlet is past gathering its operations."""
        return ctx_host.get() in self.executing  # type: ignore[no-untyped-call]

    def fail_hosts(self, hosts_to_fail: Iterable[Host], activated_count: int | None = None) -> None:  # noqa: ARG002
        """Stop at once where a fact could not be had: pyinfra would go on with the fact's default."""
        if names := [host.name for host in hosts_to_fail]:
            raise UnansweredError(", ".join(names))


def make_state(orders: Iterable[Mapping[str, Any]], channel: Channel, timeout: float, parallel: int) -> Devices:
    """Return the devices that `orders` name, not connected yet; an operation takes `timeout` seconds at most."""
    known = {str(order["id"]): order for order in orders}
    names = [(name, _data(order, timeout)) for name, order in known.items()]
    inventory = Inventory((names, {}))  # type: ignore[no-untyped-call]
    for host in inventory:
        host.connector_cls = PinnedConnector
        host.connector_data.update({ORDER: known[host.name], VOICE: Voice(host.name, channel)})
    config = Config(PARALLEL=parallel, TEMP_DIR=_TEMPORARY)  # type: ignore[no-untyped-call]
    return Devices(inventory, config)


def _data(order: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    return {"_timeout": int(timeout), "_sudo": order["login"]["user"] != "root"}
