"""Every text format that a province can be exported to; a new one is a file beside this and a row here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inventory.export.ansible import write_ansible
from inventory.export.json import write_json
from inventory.export.prometheus import write_prometheus
from inventory.export.ssh import write_ssh_config
from inventory.model import Device, Province


@dataclass(frozen=True, slots=True)
class Export:
    """A format: what people call it, the end of its files' names, and the function that writes it."""

    name: str
    suffix: str
    write: Callable[[Province, Sequence[Device]], str]


EXPORTS: Mapping[str, Export] = {
    export.name: export
    for export in (
        Export("ansible", ".yml", write_ansible),
        Export("json", ".json", write_json),
        Export("prometheus", ".json", write_prometheus),
        Export("ssh-config", ".conf", write_ssh_config),
    )
}
