"""The practice province: bring it up, act on it, run commands in it, take it down.

lab = up(province, folder, secrets={})
lab.cut(["an-bien"])
subprocess.run(enter_command(lab, ["curl", "https://one-stop.kien-giang.example/"]))
lab.down()
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from inventory.language import _
from inventory.model import Province
from lab.control import keeper_of
from lab.errors import RunningError, StartError
from lab.files import LOG, STATE, STAY, is_alive, remove_leftovers, take_lock
from lab.images import provide
from lab.inside import VARIABLE, inside
from lab.machine import check_machine, environment, namespaces
from lab.machines import KINDS
from lab.machines.chosen import NO_MACHINES, Machines
from lab.mirror import make_mirror
from lab.running import Lab, Status
from lab.scene import Scene, dump_scene
from lab.staging import make_scene
from lab.ways import Impairment

__all__ = ["Impairment", "Lab", "Machines", "Status", "enter_command", "up"]
_GRACE = 5.0  # seconds
_TRUST = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # what TLS clients read


def up(
    province: Province,
    folder: Path,
    *,
    secrets: Mapping[str, str],
    machines: Machines = NO_MACHINES,
    packages: bool = False,
    die_with_parent: bool = False,
    patience: float = 60.0,
) -> Lab:
    """Bring `province` up, with its files in `folder`, and return when every address answers.

    The devices that `machines` names are real, and sshd greets on each when this returns; their image is made
    first if there is none, which takes a minute and the host's mirror. With `packages` the lab serves them a package
    repository, see lab.mirror. With `die_with_parent` the lab ends as
    soon as this process does, however it ends. Raises MachineError, RunningError, NotRealError, StartError (also
    after `patience` seconds, and as many more for the machines).
    """
    check_machine(machines=bool(machines))
    scene = _with_images(make_scene(province, secrets, machines))
    folder = folder.resolve()
    lock = take_lock(folder)
    if lock is None:
        raise RunningError(
            _("a lab is already up in {folder}; to bring up a changed province, end it first: tuyen lab down").format(
                folder=folder
            )
        )
    remove_leftovers(folder)
    try:
        if packages:
            scene = scene._replace(repository=str(make_mirror(folder)))
        starting = _start(folder, lock, machines=bool(machines))
    finally:
        os.close(lock)
    assert starting.stdin
    assert starting.stdout
    starting.wait()  # setsid has forked; what it started is nobody's child
    with starting.stdout:
        try:
            _wait_until_ready(starting, dump_scene(scene) + b"\n", folder, patience)
            lab = _remember(folder)
            lab.wait_ssh(machines.kinds, patience)
        except BaseException:
            starting.stdin.close()  # the leash: what has begun ends
            _clear_away(folder)
            raise
    return _release(starting, lab, die_with_parent)


def _clear_away(folder: Path) -> None:
    """Wait a moment until the lab that did not come up is gone, and remove what it has left."""
    end = time.monotonic() + _GRACE
    while is_alive(folder) and time.monotonic() < end:
        time.sleep(0.02)
    if not is_alive(folder):
        remove_leftovers(folder)


def _with_images(scene: Scene) -> Scene:
    """Return `scene` with the archives that its machines are made from, each made if there is none yet."""
    names = {KINDS[machine.kind].IMAGE for machine in scene.machines}
    return scene._replace(images={name: str(provide(name)) for name in sorted(names)})


def _start(folder: Path, lock: int, *, machines: bool) -> "subprocess.Popen[bytes]":
    here = str(Path(__file__).parent.parent)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    keeper = [sys.executable, "-m", "lab.keeper", str(folder), str(lock)]
    janitor = [sys.executable, "-m", "lab.janitor", str(folder), str(lock)] if machines else []
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(
            ["setsid", "--fork", *janitor, "unshare", *namespaces(machines=machines), "--", *keeper],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[lock],
            env={**environment(), "PYTHONPATH": os.pathsep.join(paths)},
            cwd="/",
        )


def _wait_until_ready(starting: "subprocess.Popen[bytes]", scene: bytes, folder: Path, patience: float) -> None:
    """Hand over the scene and read how it went. Raises StartError with the reason."""
    assert starting.stdin
    assert starting.stdout
    try:
        starting.stdin.write(scene)
        starting.stdin.flush()
    except BrokenPipeError:
        raise StartError(_reason(folder)) from None
    if not select.select([starting.stdout], [], [], patience)[0]:
        raise StartError(
            _("the lab did not come up within {seconds:g} s; see {log}").format(seconds=patience, log=folder / LOG)
        )
    outcome = json.loads(starting.stdout.readline() or "{}")
    if "too_many_files" in outcome:
        message = _("the lab may not open enough files: {reason}; raise the limit, for example in limits.conf")
        raise StartError(message.format(reason=outcome["too_many_files"]))
    if "ready" not in outcome:
        raise StartError(_("the lab did not come up: {reason}").format(reason=outcome.get("failed") or _reason(folder)))


def _reason(folder: Path) -> str:
    """Return the last line of the log, where a process that died has written why."""
    lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else _("it ended without a word")


def _remember(folder: Path) -> Lab:
    """Write down which process holds the namespaces: the keeper's parent, which waits for it in them."""
    status = Path(f"/proc/{keeper_of(folder)}/status").read_text()
    holder = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
    written = folder / f"{STATE}.new"
    written.write_text(json.dumps({"schema": 1, "holder": holder}) + "\n")
    written.replace(folder / STATE)
    return Lab(folder, holder)


def _release(starting: "subprocess.Popen[bytes]", lab: Lab, die_with_parent: bool) -> Lab:
    """Let the lab live on without this process, or keep its leash."""
    assert starting.stdin
    with starting.stdin:
        if die_with_parent:
            return Lab(lab.folder, lab.holder, os.dup(starting.stdin.fileno()))
        starting.stdin.write(STAY)
    return lab


def enter_command(lab: Lab, argv: Sequence[str]) -> list[str]:
    """Return the command line that runs `argv` where the controller stands, in this folder and environment.

    It is a process of the lab: it ends with the lab at the latest, and is told to when its caller ends. TLS
    clients in it trust the lab's authority. Inside a lab already, it is `argv` itself.
    """
    if inside():
        return list(argv)
    own = f"/proc/{lab.holder}/ns"
    enter = ["nsenter", f"--mount={own}/mnt", f"--net={own}/net", f"--pid={own}/pid_for_children"]
    if os.geteuid():
        enter[1:1] = [f"--user={own}/user", "--preserve-credentials"]
    settings = [f"{VARIABLE}={lab.folder}", *(f"{variable}={lab.authority}" for variable in _TRUST)]
    return [*enter, "--", "env", f"--chdir={Path.cwd()}", *settings, "setpriv", "--pdeathsig=TERM", "--", *argv]
