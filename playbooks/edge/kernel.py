"""Settings of the kernel: in a file for every boot, and in force now where the machine lets us."""

from collections.abc import Mapping

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from inventory.language import _
from playbooks.deploying import note
from playbooks.drivers.pyinfra_commands import Commands
from playbooks.edge.files import written

SETTINGS: Mapping[str, str] = {
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv6.conf.all.accept_redirects": "0",
}


class Settings(FactBase[Mapping[str, tuple[str, bool]]]):
    """The value of each setting that the kernel has, and whether it may be changed."""

    def command(self) -> str:
        """Return what asks for it."""
        paths = " ".join(f"/proc/sys/{name.replace('.', '/')}" for name in SETTINGS)
        return (
            f"for file in {paths}; do value=$(cat $file 2>/dev/null) || continue; "
            'if [ -w $file ]; then may=yes; else may=no; fi; echo "$file $may $value"; done'
        )

    def process(self, output: list[str]) -> Mapping[str, tuple[str, bool]]:
        """Return what was answered."""
        words = (line.split(maxsplit=2) for line in output)
        return {
            path.removeprefix("/proc/sys/").replace("/", "."): (value, may == "yes")
            for path, may, value in (word for word in words if len(word) == 3)
        }

    @staticmethod
    def default() -> Mapping[str, tuple[str, bool]]:
        """Return what no answer means."""
        return {}


@operation()
def in_force() -> Commands:
    """Let the settings that may be changed have their values now."""
    now = host.get_fact(Settings)
    for name, value in SETTINGS.items():
        if name in now and now[name][1] and now[name][0] != value:
            yield StringCommand("sysctl", "-qw", f"{name}={value}")


def kernel() -> None:
    """Add the settings that this kernel knows, and tell of those that may not be changed here."""
    now = host.get_fact(Settings)
    lines = [f"{name} = {value}\n" for name, value in SETTINGS.items() if name in now]
    text = "# Written by tuyen: changes here do not last.\n" + "".join(lines)
    written(name="Kernel settings", content=text, path="/etc/sysctl.d/90-tuyen.conf")
    in_force(name="Kernel settings in force")
    fixed = [name for name in SETTINGS if name in now and not now[name][1] and now[name][0] != SETTINGS[name]]
    if fixed:
        note(_("this machine may not change {settings} (a container?)").format(settings=", ".join(fixed)))
