"""Break sshd: it does not start again."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files, server


def deploy(values: Mapping[str, Any]) -> None:
    files.put(name="Harden sshd", src=StringIO("PermitRotLogin no\n"), dest="/etc/ssh/sshd_config.d/10-typo.conf")
    server.shell(name="Restart sshd", commands=["systemctl restart ssh || true"])
