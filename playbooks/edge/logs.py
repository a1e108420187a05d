"""Logs: a journal that cannot fill a small disk, and a copy of every line to the province's log server."""

from pyinfra.api.operation import OperationMeta
from pyinfra.operations import server

from playbooks.deploying import behind, changed
from playbooks.edge.files import written
from playbooks.edge.services import running

_JOURNAL = """\
# Written by tuyen: changes here do not last.
[Journal]
SystemMaxUse={size}
RuntimeMaxUse={size}
MaxRetentionSec={days}day
ForwardToSyslog=yes
"""
_FORWARD = """\
# Written by tuyen: changes here do not last. While the server is away lines wait on the disk, at most 64 MB of them.
*.* action(type="omfwd" target="{server}" port="514" protocol="tcp"
    queue.type="LinkedList" queue.filename="to-province" queue.maxDiskSpace="64m" queue.saveOnShutdown="on"
    action.resumeRetryCount="-1" action.resumeInterval="30")
"""


def journal(size: str, days: int) -> None:
    """Add the limits of the journal."""
    text = _JOURNAL.format(size=size, days=days)
    file = written(name="Limits of the journal", content=text, path="/etc/systemd/journald.conf.d/90-tuyen.conf")
    server.shell(
        name="Limits of the journal in force", commands=["systemctl restart systemd-journald"], _if=changed(file)
    )


def forwarding(log_server: str) -> OperationMeta:
    """Add what rsyslog is to forward: before the package, so that no line is missed."""
    return written(
        name="Forwarding of logs", content=_FORWARD.format(server=log_server), path="/etc/rsyslog.d/90-tuyen.conf"
    )


def service(file: OperationMeta, packages: OperationMeta) -> None:
    """Add rsyslog's service."""
    with behind(packages):
        running(name="Log service", unit="rsyslog.service")
        server.shell(name="Forwarding of logs in force", commands=["systemctl restart rsyslog"], _if=changed(file))
