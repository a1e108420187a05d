"""Write a secret into a file, and show it in every way that a careless job may."""

import shlex
from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files, server


def deploy(values: Mapping[str, Any]) -> None:
    files.put(name="Write the token", src=StringIO(f"token = {values['token']}\n"), dest="/etc/token.conf", mode="600")
    quoted = shlex.quote(values["token"])
    server.shell(name=f"Say {values['token']}", commands=[f"echo {quoted}; echo {quoted} >&2"])
