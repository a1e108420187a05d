# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING in this collection)
"""Ansible inventory plugin: a tuyen province, live."""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible.template import trust_as_template

DOCUMENTATION = """
name: tuyen
short_description: The machines of a province declared for tuyen
description:
  - Reads the province's own files each time, so there is nothing to export and nothing to forget.
  - The file must be called C(tuyen.yml) or C(tuyen.yaml), or its name must end in C(.tuyen.yml) or C(.tuyen.yaml).
  - Hosts, variables and groups are those of C(tuyen inventory export ansible).
  - Ansible by itself only warns of an inventory that it cannot read; set
    C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1) to make it stop.
extends_documentation_fragment:
  - constructed
options:
  plugin:
    description: Says that the file is meant for this plugin.
    required: true
    choices: [tuyen.core.tuyen]
  province:
    description: The province's folder, relative to the file.
    type: str
    default: .
  selector:
    description: Which devices, for example V(tier=commune,role=server) or V(under=an-bien). Everything by default.
    type: str
    default: ''
"""

EXAMPLES = """
# kien-giang.tuyen.yml, beside province.yaml
plugin: tuyen.core.tuyen
province: .
selector: tier=commune,role=server
keyed_groups:
  - {prefix: provider, key: tuyen_provider}
"""


class InventoryModule(BaseInventoryPlugin, Constructable):  # type: ignore[misc, unused-ignore]
    """Gives Ansible the hosts, groups and variables of a province."""

    NAME = "tuyen.core.tuyen"

    def verify_file(self, path: str) -> bool:
        """Whether the file is one of ours, by its name."""
        name = Path(path).name
        ours = name in ("tuyen.yml", "tuyen.yaml") or name.endswith((".tuyen.yml", ".tuyen.yaml"))
        return bool(super().verify_file(path)) and ours

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill `inventory` from the province that the file at `path` names. Raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            from inventory.finding import InventoryError
            from inventory.load import load
            from inventory.selector import select_devices
        except ImportError as error:
            message = f"tuyen is not installed in Ansible's Python environment: {error}"
            raise AnsibleParserError(message) from error
        try:
            province = load(Path(path).parent / self.get_option("province"))
            devices = select_devices(province, self.get_option("selector"))
        except InventoryError as error:
            raise AnsibleParserError(f"{error}") from error
        self._fill(province, devices)

    def _fill(self, province: Any, devices: Any) -> None:
        from inventory.export.ansible import group_names, host_variables, hosts
        from inventory.export.ssh import ports_of

        strict, ports = self.get_option("strict"), ports_of(province)
        for device in hosts(devices):
            host = self.inventory.add_host(device.id)
            told = host_variables(province, device, ports.get(device.id))
            variables = {name: _trusted(value) for name, value in told.items()}
            for name, value in variables.items():
                self.inventory.set_variable(host, name, value)
            for group in group_names(province, device):
                self.inventory.add_child(self.inventory.add_group(group), host)
            self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _trusted(value: Any) -> Any:
    """Mark plain text as harmless, or Ansible shows it as unsafe; what looks like a template stays unmarked."""
    from inventory.export.ansible import is_template

    if isinstance(value, str):
        return value if is_template(value) else trust_as_template(value)
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    return value
