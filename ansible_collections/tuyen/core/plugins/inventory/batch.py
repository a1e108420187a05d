# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING in this collection)
"""Ansible inventory plugin: the hosts of one run of tuyen, out of memory."""

import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin

DOCUMENTATION = """
name: batch
short_description: The hosts of one run of tuyen, out of memory
description:
  - Reads hosts and their variables from an open file descriptor, given as C(/proc/self/fd/N), so that secrets never
    lie on a disk nor in a process list.
  - The content is a JSON object with the key C(hosts), which maps names to variables. Values are data, never templates.
  - tuyen's ansible driver writes it; nobody else needs to.
"""

PREFIX = "/proc/self/fd/"


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc, unused-ignore]
    """Gives Ansible the devices of a batch."""

    NAME = "tuyen.core.batch"

    def verify_file(self, path: str) -> bool:
        """Whether `path` is an open descriptor."""
        return path.startswith(PREFIX) and bool(super().verify_file(path))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill `inventory` from the descriptor at `path`. Raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        try:
            hosts = json.loads(Path(path).read_bytes())["hosts"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AnsibleParserError(f"{path} holds no batch of tuyen: {error!r}") from error
        for name, variables in hosts.items():
            host = self.inventory.add_host(name)
            for key, value in variables.items():
                self.inventory.set_variable(host, key, value)
