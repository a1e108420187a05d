"""Write /etc/motd."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files


def deploy(values: Mapping[str, Any]) -> None:
    files.put(name="Write the greeting", src=StringIO(f"{values['text']}\n"), dest="/etc/motd")
