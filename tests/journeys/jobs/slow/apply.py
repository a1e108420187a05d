"""Take a while, and leave a trace of having begun and of having ended."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from pyinfra.operations import files, server


def deploy(values: Mapping[str, Any]) -> None:
    files.put(name="Begin", src=StringIO("begun\n"), dest="/root/begun")
    server.shell(name="Wait", commands=["sleep 12 && touch /root/ended"])
