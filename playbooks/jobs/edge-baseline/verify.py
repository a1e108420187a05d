"""Whether a small machine works under its baseline; that we are here shows that SSH and the firewall let us in."""

from collections.abc import Mapping
from typing import Any

from pyinfra.api.facts import FactBase
from pyinfra.context import host

from inventory.language import _
from playbooks.deploying import NotAtTargetError

_SCRIPT = """
/usr/sbin/sshd -t 2>&1 || echo "the SSH server's settings are wrong"
systemctl -q is-active ssh || echo "the SSH server does not run"
nft list chain inet tuyen input 2>/dev/null | grep -q 'policy drop' || echo "the firewall is not in force"
visudo -qc >/dev/null 2>&1 || echo "the settings of sudo are wrong"
"""


class Complaints(FactBase[list[str]]):
    """What is wrong, a line each."""

    def command(self) -> str:
        """Return what asks for it."""
        return _SCRIPT

    def process(self, output: list[str]) -> list[str]:
        """Return what was answered."""
        return output

    @staticmethod
    def default() -> list[str]:
        """Return what no answer means: all is well."""
        return []


def deploy(values: Mapping[str, Any]) -> None:  # noqa: ARG001
    """Ask once."""
    if complaints := host.get_fact(Complaints):
        raise NotAtTargetError(_("after the change: {complaints}").format(complaints="; ".join(complaints)))
