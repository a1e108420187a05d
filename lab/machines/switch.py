"""A switch with Cisco's command line: it knows VLANs and ports, and remembers what it is told until it is off.

The command line is that of fake-switches, by its own program in a small system with Debian's Twisted. It lets in whom
the province's access rules name for it, with that password, which also opens its privileged mode.
"""

import json
import shutil
from pathlib import Path

from lab.machines.parts import folder_of
from lab.scene import Machine

PLATFORM = "cisco_ios"
IMAGE = "switch"
PARTS: tuple[str, ...] = ("fake_switches", "tftpy")  # the rest that they need, the image has
PASSWORD = True
_MODEL = "cisco_2960_24TT_L"
_LIBRARY = "usr/local/lib/python3/dist-packages"
_SETTINGS, _PROGRAM = "etc/switch.json", "usr/local/sbin/switch"

# Speaks SSH on port 22 with the machine's own host key; fake-switches' own service has one key for all the world.
_TEXT = """import json, sys
sys.path.insert(0, "/{library}")
from twisted.conch.ssh import factory, keys
from twisted.cred import checkers, portal
from twisted.internet import reactor
from fake_switches.switch_factory import SwitchFactory
from fake_switches.transports.ssh_service import SSHDemoRealm

with open("/{settings}") as file:
    settings = json.load(file)
core = SwitchFactory().get(settings["model"], settings["name"], settings["password"])
key = keys.Key.fromFile("/etc/ssh/ssh_host_ed25519_key")
server = factory.SSHFactory()
server.portal = portal.Portal(SSHDemoRealm(core))
users = {{settings["user"]: settings["password"].encode()}}
server.portal.registerChecker(checkers.InMemoryUsernamePasswordDatabaseDontUse(**users))
server.publicKeys, server.privateKeys = {{b"ssh-ed25519": key.public()}}, {{b"ssh-ed25519": key}}
reactor.listenTCP(22, server)
reactor.run()
"""


def furnish(machine: Machine, root: Path) -> None:
    """Bring its program and its settings in."""
    for part in PARTS:
        shutil.copytree(folder_of(part), root / _LIBRARY / part, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {
        "model": _MODEL,
        "name": machine.id.partition(".")[0],
        "user": machine.user,
        "password": machine.password,
    }
    (root / _SETTINGS).touch(mode=0o600)
    (root / _SETTINGS).write_text(json.dumps(settings))
    (root / _PROGRAM).write_text(_TEXT.format(library=_LIBRARY, settings=_SETTINGS))


def command(_machine: Machine) -> list[str]:
    """Start its command line."""
    return ["--", "/usr/bin/python3", "-W", "ignore", f"/{_PROGRAM}"]
