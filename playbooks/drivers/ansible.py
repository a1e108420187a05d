"""The ansible driver: one run of ansible-playbook for the whole batch.

Job files: apply.yml (also for checking: --check --diff), verify.yml, rollback.yml, plays for `hosts: all`. Roles are
ours (playbooks/roles) or lie in the job's own roles/. What roles can tell us beyond changes and failures stands in the
documentation of the callback tuyen.core.events.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.language import _
from playbooks.batch import Batch
from playbooks.drivers.ansible_events import Hearing
from playbooks.drivers.ansible_process import MARK, cut_sessions, memory_file, run
from playbooks.drivers.ansible_room import Room, own_room
from playbooks.event import Outcome
from playbooks.job import Step
from playbooks.sshconfig import CONNECT_SECONDS, write_ssh_config
from playbooks.target import Target

_HOUSE = Path(__file__).resolve().parents[2]
_PROGRAM = (sys.executable, "-I", str(Path(sys.executable).with_name("ansible-playbook")))
_INTERPRETER = "/usr/bin/python3"  # of the devices; discovery finds shims that do not work
_RETRIES = 2
_LATE_SECONDS = 10.0  # for Ansible to tell the end, when the time of a step is over
_ERROR = "[ERROR]:"  # how Ansible's own complaints begin
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TZ")
_SETTINGS: Mapping[str, str] = {
    "ANSIBLE_STDOUT_CALLBACK": "tuyen.core.events",
    "ANSIBLE_INVENTORY_ENABLED": "tuyen.core.batch",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    "ANSIBLE_COLLECTIONS_PATH": str(_HOUSE),
    "ANSIBLE_ROLES_PATH": str(_HOUSE / "playbooks" / "roles"),
    "ANSIBLE_STRATEGY": "ansible.builtin.host_pinned",  # nobody waits for the slowest
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_HOST_KEY_CHECKING": "1",
    "ANSIBLE_SSH_PASSWORD_MECHANISM": "ssh_askpass",
    "ANSIBLE_TIMEOUT": str(CONNECT_SECONDS),
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_NOCOLOR": "1",
    "PYTHONUNBUFFERED": "1",
    "LC_ALL": "C.UTF-8",
}


def perform(batch: Batch) -> None:
    """Carry out the step on all devices of the batch."""
    hearing = Hearing(batch)
    step = Step.APPLY if batch.step is Step.CHECK else batch.step
    playbook = batch.job.folder / f"{step}.yml"
    if not playbook.is_file():
        missing = _("the job {job} has no {file}").format(job=batch.job.name, file=playbook.name)
        hearing.finish(Outcome.FAILED, missing)
        return
    with own_room() as room:
        _play(batch, playbook, room, hearing)


def _play(batch: Batch, playbook: Path, room: Room, hearing: Hearing) -> None:
    """Run Ansible in `room` and tell what remains to be told at the end."""
    clock = _Clock(batch, hearing, uuid.uuid4().hex, time.monotonic() + batch.job.shape.timeout)
    write_ssh_config(room.path / "ssh_config", batch.targets)
    hosts = {"hosts": {target.id: _variables(target) for target in batch.targets}}
    with (
        memory_file("batch", json.dumps(hosts).encode()) as inventory,
        memory_file("output") as output,
        _pipe() as events,
    ):
        code = run(
            batch.child([*_PROGRAM, *_arguments(batch, playbook, inventory)]),
            _environment(clock.mark, room.path, events[1]),
            (inventory, room.lock, *batch.locks),
            output,
            events,
            hearing.hear,
            clock.over,
        )
        words = batch.mask(_content(output))
    _keep(batch, words)
    _finish(batch, hearing, code, words)


@dataclass(slots=True)
class _Clock:
    """When a run is over: at once when it is to stop, and a little after its time.

    Ansible tells how devices ended only when all have: so when the time has come, the sessions of those that are
    not done yet are cut, and Ansible tells of the others.
    """

    batch: Batch
    hearing: Hearing
    mark: str  # of our child processes
    deadline: float  # by time.monotonic()

    def over(self) -> bool:
        late = time.monotonic() - self.deadline
        if late > 0:
            self.hearing.late = True
            cut_sessions(self.mark)
        return self.batch.stop.is_set() or late > _LATE_SECONDS


def _arguments(batch: Batch, playbook: Path, inventory: int) -> list[str]:
    words = [
        "--inventory",
        f"/proc/self/fd/{inventory}",
        "--forks",
        str(max(1, min(batch.parallel, len(batch.targets)))),
    ]
    if batch.step is Step.CHECK:
        words.append("--check")
    return [*words, "--diff", str(playbook)]


def _environment(mark: str, room: Path, events: int) -> dict[str, str]:
    """Return all that Ansible gets to know of us: no settings of the account, no secrets."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    own = {
        MARK: mark,
        "TUYEN_EVENTS_DESCRIPTOR": str(events),
        "ANSIBLE_CONFIG": str(_empty(room / "ansible.cfg")),  # nobody's own settings may change what a job does
        "ANSIBLE_HOME": str(room),
        "ANSIBLE_LOCAL_TEMP": str(room / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(room / "cp"),
        "ANSIBLE_SSH_ARGS": f"-F {room / 'ssh_config'} -o ControlMaster=auto -o ControlPersist=120s",
    }
    return {**passed_on, **_SETTINGS, **own}


def _empty(path: Path) -> Path:
    path.touch(0o600)
    return path


def _variables(target: Target) -> dict[str, Any]:
    """Return what Ansible is told of a device: the job's variables, and how to log in."""
    login = target.login
    ways: dict[str, Any] = {
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_python_interpreter": _INTERPRETER,
        "ansible_become": login.user != "root",
        "ansible_ssh_retries": _RETRIES,
        "tuyen_login_user": login.user,
        "tuyen_login_by_password": bool(login.password),
    }
    if login.password:
        # Asked once, or a wrong password would lock the account; and only by this host, never by one on the way.
        prompt = f"{login.user}@{login.address}'s password"
        ways |= {"ansible_password": login.password, "ansible_sshpass_prompt": prompt, "ansible_ssh_retries": 0}
        ways["ansible_ssh_common_args"] = "-o KbdInteractiveAuthentication=no"
    return {**target.variables, **ways}


def _finish(batch: Batch, hearing: Hearing, code: int | None, words: str) -> None:
    """Tell the devices that Ansible did not tell of."""
    if batch.stop.is_set():
        hearing.finish(Outcome.FAILED, _("interrupted"))
    elif code is None:
        hearing.run_out()
    else:
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith(_ERROR)), lines[-1] if lines else "")
        reason = _("Ansible ended with code {code}: {words}").format(code=code, words=said.removeprefix(_ERROR).strip())
        hearing.finish(Outcome.FAILED, reason)


def _keep(batch: Batch, words: str) -> None:
    """Append what Ansible itself printed, warnings mostly, to the run's own log."""
    if words:
        with (batch.folder / "ansible.log").open("a", encoding="utf-8") as log:
            log.write(words)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read().decode(errors="replace")


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Yield the ends of a pipe; whoever starts the child closes the second."""
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(reading)
