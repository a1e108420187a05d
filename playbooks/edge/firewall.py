"""nftables: nothing comes in but what is named. Ours is one table; those of others are left alone."""

from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from playbooks.drivers.pyinfra_commands import Commands
from playbooks.edge.files import written
from playbooks.edge.services import running

RULES = "/etc/nftables.conf"
_LOADED = "/var/lib/tuyen/nftables.loaded"  # how the kernel lists our table when it is as we loaded it
_LIST = "nft --stateless list table inet tuyen"
_TEXT = """\
#!/usr/sbin/nft -f
# Written by tuyen: changes here do not last. Only the table "tuyen" is ours.
table inet tuyen
delete table inet tuyen
table inet tuyen {{
	set admins {{
		type ipv4_addr
		flags interval
		elements = {{ {admins} }}
	}}
	chain input {{
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname "lo" accept
		icmp type {{ echo-request, destination-unreachable, time-exceeded, parameter-problem }} accept
		meta l4proto 58 accept
		ip saddr @admins tcp dport {{ {ports} }} accept
{services}	}}
	chain forward {{
		type filter hook forward priority filter; policy drop;
	}}
}}
"""
_SERVICES = "\t\tip saddr {{ {networks} }} tcp dport {{ {ports} }} accept\n"


class AsLoaded(FactBase[bool]):
    """Whether the kernel's rules are still those that we loaded."""

    def command(self) -> str:
        """Return what asks for it."""
        return f"{_LIST} 2>/dev/null | cmp -s - {_LOADED} && echo same || echo other"

    def process(self, output: list[str]) -> bool:
        """Return what was answered."""
        return output == ["same"]

    @staticmethod
    def default() -> bool:
        """Return what no answer means."""
        return False


@operation()
def loaded(file: OperationMeta) -> Commands:
    """Let the kernel have the rules of the file, which the operation `file` may have changed."""
    if file.did_change() or not host.get_fact(AsLoaded):
        yield StringCommand(f"nft -f {RULES} && mkdir -p -m 700 /var/lib/tuyen && {_LIST} > {_LOADED}")


def rules(admins: Sequence[str], ports: Sequence[int], services: Sequence[str], networks: Sequence[str]) -> str:
    """Return the text: `admins` may reach `ports`; anyone in `networks` may reach the ports `services`."""
    open_to_all = ""
    if services:
        open_to_all = _SERVICES.format(networks=", ".join(networks), ports=", ".join(services))
    return _TEXT.format(admins=", ".join(admins), ports=", ".join(map(str, ports)), services=open_to_all)


def firewall(text: str) -> None:
    """Add the operations that let these rules hold, now and after every boot."""
    file = written(name="Firewall rules", content=text, path=RULES, check='nft -c -f "$new"', mode="755")
    running(name="Firewall at every boot", unit="nftables.service")
    loaded(name="Firewall rules in force", file=file)
