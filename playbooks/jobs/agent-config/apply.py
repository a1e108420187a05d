"""The one-stop agent's configuration."""

from collections.abc import Mapping
from typing import Any

from pyinfra.context import host
from pyinfra.operations import server

from inventory.language import _
from playbooks.deploying import NotApplicableError, changed
from playbooks.edge.files import written
from playbooks.edge.packages import Packages
from playbooks.edge.services import running

PACKAGE, FILE = "one-stop-agent", "/etc/one-stop-agent/agent.conf"
_TEXT = """\
# The one-stop agent of this office. Written by tuyen: changes here do not last.
[agent]
office = {office}
url = {url}
"""


def deploy(values: Mapping[str, Any]) -> None:
    """Add the operations. Raises NotApplicableError where the agent is not installed."""
    if host.get_fact(Packages, packages=[PACKAGE]).get(PACKAGE) != "installed":
        raise NotApplicableError(_("the one-stop agent is not installed; run the job 'one-stop-agent' first"))
    text = _TEXT.format(office=values["tuyen"]["office"], url=values["one_stop_url"])
    if values["counters"]:
        text += f"counters = {values['counters']}\n"
    file = written(name="Configuration of the agent", content=text, path=FILE)
    running(name="The agent runs", unit=f"{PACKAGE}.service")
    server.shell(name="Configuration in force", commands=[f"systemctl restart {PACKAGE}"], _if=changed(file))
