"""The time: the zone, and chrony where the machine may set its clock."""

from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host
from pyinfra.operations import server

from inventory.language import _
from playbooks.deploying import behind, changed, note
from playbooks.drivers.pyinfra_commands import Commands
from playbooks.edge.files import written
from playbooks.edge.services import running

FILE = "/etc/chrony/chrony.conf"
_TEXT = """\
# Written by tuyen: changes here do not last.
{servers}
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
logdir /var/log/chrony
maxupdateskew 100.0
makestep 1 3
rtcsync
leapsectz right/UTC
"""
_SET_TIME = 1 << 25  # CAP_SYS_TIME


class MaySetTime(FactBase[bool]):
    """Whether the machine may set its clock: most containers may not."""

    def command(self) -> str:
        """Return what asks for it."""
        return "sed -n 's/^CapBnd:[[:space:]]*//p' /proc/1/status"

    def process(self, output: list[str]) -> bool:
        """Return what was answered."""
        return bool(int(output[0], 16) & _SET_TIME)

    @staticmethod
    def default() -> bool:
        """Return what no answer means."""
        return False


class Zone(FactBase[str]):
    """Where /etc/localtime leads, and what /etc/timezone says: "Asia/Ho_Chi_Minh Asia/Ho_Chi_Minh"."""

    def command(self) -> str:
        """Return what asks for it."""
        return 'echo "$(readlink /etc/localtime | sed s,.*/zoneinfo/,,) $(cat /etc/timezone 2>/dev/null)"'

    @staticmethod
    def default() -> str:
        """Return what no answer means."""
        return ""


@operation()
def time_zone(zone: str) -> Commands:
    """Let local time be that of `zone`."""
    if host.get_fact(Zone) != f"{zone} {zone}":
        yield StringCommand(
            f"test -f /usr/share/zoneinfo/{zone} && ln -sfn /usr/share/zoneinfo/{zone} /etc/localtime "
            f"&& echo {zone} > /etc/timezone"
        )


def configuration(servers: Sequence[str]) -> OperationMeta:
    """Add chrony's configuration: before the package, so that it never asks anyone else."""
    text = _TEXT.format(servers="\n".join(f"server {server} iburst" for server in servers))
    return written(name="Time servers", content=text, path=FILE)


def service(file: OperationMeta, packages: OperationMeta) -> None:
    """Add chrony's service, where it can run."""
    if not host.get_fact(MaySetTime):
        note(_("this machine may not set its clock (a container?): chrony is set up, and not started"))
        return
    with behind(packages):
        running(name="Time service", unit="chrony.service")
        server.shell(name="Time servers in force", commands=["systemctl restart chrony"], _if=changed(file))
