"""What is being worked on while `tuyen check` asks: what is away then is in maintenance."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli.output import complain

if TYPE_CHECKING:
    from exporters.outages.node import Node
    from inventory.model import Province
    from ledger.planned import Planned


def planned_now(province: "Province") -> "Mapping[Node, str]":
    """Return what is being worked on and why: what is declared, and what the ledger knows, where there is one."""
    from exporters.outages.work import Works

    works = Works()
    works.planned = _in_ledger(province)
    return works.nodes(province, time.time())


def _in_ledger(province: "Province") -> "tuple[Planned, ...]":
    from pathlib import Path

    file = Path(province.folder) / ".tuyen" / "ledger.sqlite"
    if not province.database and not file.exists():
        return ()
    from ledger.connection import open_ledger
    from ledger.errors import LedgerError
    from ledger.planned import planned

    try:
        with open_ledger(province.database or file) as ledger:
            return planned(ledger, ledger.clock())
    except LedgerError as error:  # how things are is told all the same
        complain(str(error))
        return ()
