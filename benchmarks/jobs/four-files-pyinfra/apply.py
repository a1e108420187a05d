"""The same four operations as by Ansible."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files


def deploy(values: Mapping[str, Any]) -> None:
    turn = values["turn"]
    files.directory(name="Make the folder", path="/srv/four", mode="755")
    files.put(name="Write the first", src=StringIO(f"first {turn}\n"), dest="/srv/four/first", mode="644")
    files.put(name="Write the second", src=StringIO(f"second {turn}\n"), dest="/srv/four/second", mode="644")
    files.line(name="Keep a line", path="/srv/four/lines", line="^turn.*", replace=f"turn {turn}")
