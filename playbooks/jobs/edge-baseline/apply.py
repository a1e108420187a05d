"""The baseline of a small machine. What may cut us off comes last."""

from collections.abc import Mapping
from typing import Any

from inventory.language import _
from playbooks.deploying import behind, note
from playbooks.edge import accounts, clock, firewall, kernel, logs, packages, shell_access

AGENT, METRICS, SSH = 8099, 9100, 22


def deploy(values: Mapping[str, Any]) -> None:
    """Add all operations."""
    known = values["tuyen"]
    accounts.accounts(known["people"])
    clock.time_zone(name="Time zone", zone=known["time_zone"])
    kernel.kernel()
    logs.journal(values["journal_size"], values["journal_days"])
    if values["mirror"]:
        _from_the_mirror(values)
    else:
        note(_("no 'mirror' is declared: no time service, forwarding of logs or metrics is installed"))
    shell_access.ssh()
    ports = [SSH, AGENT, METRICS]
    firewall.firewall(firewall.rules(values["admin_sources"], ports, values["open_ports"], known["networks"]))


def _from_the_mirror(values: Mapping[str, Any]) -> None:
    """Add what needs packages: its settings first, so that nothing ever runs with others."""
    packages.archive(values["mirror"], values["mirror_key"])
    wanted = [*(["chrony"] if values["ntp_servers"] else []), *(["rsyslog"] if values["log_server"] else [])]
    time = clock.configuration(values["ntp_servers"]) if values["ntp_servers"] else None
    log = logs.forwarding(values["log_server"]) if values["log_server"] else None
    taken = packages.installed(name="Packages", packages=wanted)
    with behind(taken):
        packages.installed_if_offered(name="Metrics exporter", package="prometheus-node-exporter")
    if time:
        clock.service(time, taken)
    if log:
        logs.service(log, taken)
