"""Who acts: the account of this process, as people.yaml knows it, and from where it came."""

import os
import pwd
import shlex
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Device, Province
    from ledger.records import Actor


def actor(province: "Province", person: str) -> "Actor":
    """Return who acts. `person` may play another one, in a practice province inside the lab only. Raises AccessError.

    Root is who became root: the account that sudo names.
    """
    from lab.inside import inside
    from ledger.records import Actor
    from playbooks.errors import AccessError

    own = _account(os.getuid())
    account = os.environ.get("SUDO_USER", own) if os.getuid() == 0 else own
    if person and not (province.practice and inside()):
        raise AccessError(_("--as is for training: in a practice province, inside the lab"))
    came_from = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return Actor(person or account, account, came_from or "local")


def _account(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # an account that this machine has no name for
        return str(number)


def check_may_act(province: "Province", who: "Actor", devices: "Iterable[Device]") -> None:
    """Raise AccessError unless people.yaml lets this person act on every device.

    In a practice province inside the lab everybody may practise on everything, unless they play somebody.
    """
    from lab.inside import inside
    from playbooks.access import check_authority

    practising = province.practice and inside() and who.person not in province.people
    if not practising:
        check_authority(province, who.person, devices)


def typed() -> str:
    """Return the command as it was typed, without the values of --set: one could hold what should not be kept."""
    words = ["tuyen", *sys.argv[1:]]
    hidden = [
        word.partition("=")[0] + "=..." if before == "--set" or word.startswith("--set=") else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    return shlex.join(hidden)
