"""Accounts from the roster, with exactly their keys; those who left it are shut out."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from playbooks.drivers.pyinfra_commands import Commands
from playbooks.edge.files import write, written

EVERYONE, OPERATORS = "tuyen", "tuyen-operators"  # groups: all whom we let in; those who may become root
_SUDOERS = f"# Written by tuyen: changes here do not last.\n%{OPERATORS} ALL=(ALL:ALL) NOPASSWD: ALL\n"

_ASK = """\
home=$(getent passwd "$name" | cut -d: -f6)
if [ -n "$home" ]; then
    echo "home=$home"
    echo "groups=$(id -Gn "$name")"
    echo "expires=$(getent shadow "$name" | cut -d: -f8)"
    echo "ssh=$(stat -c '%a %U' "$home/.ssh" 2>/dev/null)"
fi
"""
_SHUT_OUT = (
    "usermod --expiredate 1 {name} && rm -f ~{name}/.ssh/authorized_keys && {{ pkill -KILL -u {name}; "
    f"gpasswd --delete {{name}} {OPERATORS}; gpasswd --delete {{name}} {EVERYONE}; }}}} >/dev/null 2>&1; true"
)


class Account(FactBase[Mapping[str, str]]):
    """Where an account lives, its groups, when it expires, mode and owner of its .ssh; {} if there is none."""

    def command(self, account: str) -> str:
        """Return what asks for it."""
        return f"name={shlex.quote(account)}; {_ASK}"

    def process(self, output: list[str]) -> Mapping[str, str]:
        """Return what was answered."""
        return dict(line.partition("=")[::2] for line in output)

    @staticmethod
    def default() -> Mapping[str, str]:
        """Return what no answer means."""
        return {}


class Members(FactBase[Sequence[str]]):
    """The accounts that we once let in, sorted."""

    def command(self) -> str:
        """Return what asks for it."""
        return f"getent group {EVERYONE} | cut -d: -f4"

    def process(self, output: list[str]) -> Sequence[str]:
        """Return what was answered."""
        return sorted(filter(None, "".join(output).split(",")))

    @staticmethod
    def default() -> Sequence[str]:
        """Return what no answer means."""
        return ()


@operation()
def groups() -> Commands:
    """Let there be the groups."""
    known = host.get_fact(Groups)
    for group in (EVERYONE, OPERATORS):
        if group not in known:
            yield StringCommand("groupadd", "--system", group)


class Groups(FactBase[Sequence[str]]):
    """Those of our groups that exist."""

    def command(self) -> str:
        """Return what asks for it."""
        return f"getent group {EVERYONE} {OPERATORS} | cut -d: -f1"

    def process(self, output: list[str]) -> Sequence[str]:
        """Return what was answered."""
        return output

    @staticmethod
    def default() -> Sequence[str]:
        """Return what no answer means."""
        return ()


@operation()
def account(person: Mapping[str, Any]) -> Commands:
    """Let `person` have an account that their keys, and no others, log in to; operators may become root."""
    name = str(person["account"])
    state = host.get_fact(Account, account=name)
    home = state.get("home", f"/home/{name}")
    wanted = [EVERYONE, *([OPERATORS] if "operator" in person["roles"] else [])]
    if not state:
        gecos = shlex.quote(str(person["name"]).replace(":", " ").replace(",", " "))
        yield StringCommand(f"useradd --create-home --shell /bin/bash --comment {gecos} {name}")
    elif state["expires"]:
        yield StringCommand(f"usermod --expiredate '' {name}")
    has = state.get("groups", "").split()
    if missing := [group for group in wanted if group not in has]:
        yield StringCommand(f"usermod --append --groups {','.join(missing)} {name}")
    if OPERATORS in has and OPERATORS not in wanted:
        yield StringCommand(f"gpasswd --delete {name} {OPERATORS}")
    if state.get("ssh") != f"700 {name}":
        yield StringCommand(f"install -d -m 700 -o {name} -g {name} {shlex.quote(f'{home}/.ssh')}")
    keys = "".join(f"{key}\n" for key in person["keys"])
    yield from write(keys, f"{home}/.ssh/authorized_keys", mode="600", owner=name)


@operation()
def shut_out(roster: Sequence[str]) -> Commands:
    """Shut out those whom we once let in and who are not in `roster`; their files stay."""
    for name in host.get_fact(Members):
        if name not in roster:
            yield StringCommand(_SHUT_OUT.format(name=name))


def accounts(people: Sequence[Mapping[str, Any]]) -> None:
    """Add the operations for all accounts."""
    groups(name="Groups of those whom we let in")
    for person in people:
        account(name=f"Account {person['account']}", person=person)
    shut_out(name="Accounts of those who left", roster=[str(person["account"]) for person in people])
    written(
        name="Operators may become root",
        content=_SUDOERS,
        path="/etc/sudoers.d/tuyen-operators",
        check='visudo -qcf "$new"',
        mode="440",
    )
