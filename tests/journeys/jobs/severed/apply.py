"""Write /etc/motd, and perhaps shut every link down once the session is over."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files, server

from playbooks.deploying import changed

CUT = "(sleep 8; for link in /sys/class/net/*; do ip link set ${link##*/} down; done) </dev/null >/dev/null 2>&1 &"


def deploy(values: Mapping[str, Any]) -> None:
    written = files.put(name="Write the greeting", src=StringIO(f"{values['text']}\n"), dest="/etc/motd")
    if values["sever"]:
        server.shell(name="Shut the links down", commands=[CUT], _if=changed(written))
