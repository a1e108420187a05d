"""The ansible driver against OpenSSH on loopback: what it tells, what it hides, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from inventory.finding import Place
from inventory.model import Device
from playbooks.batch import Batch
from playbooks.drivers.ansible import perform
from playbooks.drivers.ansible_process import MARK
from playbooks.event import Change, Doing, Done, Event, Note, Outcome
from playbooks.job import Job, JobShape, Step
from playbooks.mask import HIDDEN, Mask
from playbooks.target import Login, Target
from tests.exporters.daemons import HERE, free_port, peer
from tests.playbooks.loopback import Server, key_pair, pin, public, sshd

ROOMS = Path("/dev/shm")
SECRET = 'mật "khẩu" 5f1c'
Tasks = list[dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd"), "PasswordAuthentication yes") as running:
        yield running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its home folder a test knows the processes that it started itself."""
    monkeypatch.setenv("HOME", str(tmp_path))


def device(name: str) -> Device:
    return Device(name, name.split(".")[0], "test", "server", "", HERE, (), Place("test"), platform="linux")


def target(login: Login, known_hosts: Path, jumps: tuple[Login, ...] = (), **variables: Any) -> Target:
    return Target(device(login.device), login, jumps, known_hosts, variables)


def job(folder: Path, tasks: Tasks, timeout: float = 60.0) -> Job:
    folder.mkdir(exist_ok=True)
    play = {"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "apply.yml").write_text(json.dumps([play]))
    shape = JobShape(about={"en": "a test"}, driver="ansible", fits="platform=linux", timeout=f"{timeout:g} s")
    return Job(folder.name, folder, shape, "")


class Play:
    """Performs steps of one job and keeps what was told."""

    def __init__(self, folder: Path, tasks: Tasks, targets: Iterable[Target], timeout: float = 60.0) -> None:
        self.job, self.targets, self.folder = job(folder / "job", tasks, timeout), tuple(targets), folder / "run"
        self.folder.mkdir(exist_ok=True)
        self.told: list[Event] = []

    def __call__(self, step: Step, on_event: Callable[[Event], None] | None = None, **more: Any) -> list[Event]:
        self.told = []

        def tell(event: Event) -> None:
            self.told.append(event)
            if on_event:
                on_event(event)

        perform(Batch(self.job, step, self.targets, self.folder, tell, Mask([SECRET]), **more))
        return [event for event in self.told if not isinstance(event, Doing)]

    def outcomes(self) -> Mapping[str, tuple[Outcome, str]]:
        done = [event for event in self.told if isinstance(event, Done)]
        assert len(done) == len(self.targets)
        return {event.device: (event.outcome, event.reason) for event in done}


def write(path: Path, content: str = "one\ntwo\n") -> dict[str, Any]:
    return {"name": "Write a file", "ansible.builtin.copy": {"dest": str(path), "content": content, "mode": "0600"}}


def sleep(seconds: float) -> dict[str, Any]:
    return {"name": "Sleep", "ansible.builtin.command": f"/bin/sleep {seconds}", "changed_when": False}


def test_check_foresees_what_apply_changes_and_then_nothing_is_left(
    server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    command = {"name": "Run it", "ansible.builtin.command": {"argv": ["touch", f"{file}2"], "creates": f"{file}2"}}
    play = Play(tmp_path, [write(file), command], [target(server.login(), known_hosts)])
    foreseen = play(Step.CHECK)
    assert foreseen[0] == Change("box.test", "Write a file", f"--- {file}\n+++ {file}\n@@ -0,0 +1,2 @@\n+one\n+two")
    assert not file.exists()
    assert play(Step.APPLY) == foreseen == [*foreseen[:2], Done("box.test", Outcome.DONE)]
    assert foreseen[1] == Change("box.test", "Run it", f"$ touch {file}2")
    assert play(Step.CHECK) == play(Step.APPLY) == [Done("box.test", Outcome.DONE)]
    assert any(isinstance(event, Doing) and event.what == "Write a file" for event in play.told)


def test_what_check_mode_cannot_know_is_decided_at_apply(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    tasks: Tasks = [
        {
            "name": "Later",
            "ansible.builtin.command": "/bin/true",
            "when": "not ansible_check_mode or now",
            "changed_when": True,
        },
        {"name": "Never", "ansible.builtin.command": "/bin/true", "when": ["wanted", "not ansible_check_mode or now"]},
        {"name": "Say", "ansible.builtin.debug": {"msg": "no audit here"}},
    ]
    play = Play(tmp_path, tasks, [target(server.login(), known_hosts, now=False, wanted=False)])
    note, done = Note("box.test", "no audit here"), Done("box.test", Outcome.DONE)
    assert play(Step.CHECK) == [Change("box.test", "Later", foreseen=False), note, done]
    assert play(Step.APPLY) == [Change("box.test", "Later", "$ /bin/true"), note, done]


def test_each_item_of_a_loop_is_a_change_of_its_own(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    task = write(Path("{{ item.path }}")) | {"loop": "{{ files }}", "loop_control": {"label": "{{ item.name }}"}}
    files = [{"name": name, "path": str(tmp_path / name)} for name in ("a", "b")]
    told = Play(tmp_path, [task], [target(server.login(), known_hosts, files=files)])(Step.APPLY)
    assert [event.what for event in told if isinstance(event, Change)] == ["Write a file: a", "Write a file: b"]


@pytest.mark.parametrize(
    ("task", "outcome", "reason"),
    [
        (
            {"name": "Look", "ansible.builtin.command": "ls /nowhere/at/all"},
            Outcome.FAILED,
            "Look: ls: cannot access '/nowhere/at/all': No such file or directory",
        ),
        (
            {"name": "Ask", "ansible.builtin.fail": {"msg": "this machine has no TPM"}, "tags": ["not_applicable"]},
            Outcome.NOT_APPLICABLE,
            "this machine has no TPM",
        ),
        (
            {"name": "Fill", "ansible.builtin.command": "dd if=/dev/zero of=/dev/full count=1"},
            Outcome.FAILED,
            "Fill: the disk is full: make room, then run the job again",
        ),
        (
            {"name": "Start", "ansible.builtin.file": {"path": "/nowhere/x", "mode": "0600"}},
            Outcome.FAILED,
            "Start: file (/nowhere/x) is absent, cannot continue",
        ),
    ],
)
def test_reason_of_a_failure_is_one_sentence(
    server: Server, known_hosts: Path, tmp_path: Path, task: dict[str, Any], outcome: Outcome, reason: str
) -> None:
    play = Play(tmp_path, [task], [target(server.login(), known_hosts)])
    assert play(Step.APPLY)[-1] == Done("box.test", outcome, reason)


def test_rescued_failure_is_none(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    block: dict[str, Any] = {"block": [{"name": "A", "ansible.builtin.command": "/bin/false"}]}
    block["rescue"] = [{"name": "B", "ansible.builtin.command": "/bin/true", "changed_when": False}]
    play = Play(tmp_path, [block], [target(server.login(), known_hosts)])
    assert play(Step.APPLY) == [Done("box.test", Outcome.DONE)]


def test_who_is_not_reached_is_told_why_and_the_others_finish(
    server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    other = public(key_pair(tmp_path / "other"))
    with peer(lambda _connection: time.sleep(60)) as hanging:
        logins = {
            "good.test": server.login("good.test"),
            "changed.test": server.login("changed.test"),
            "unknown.test": server.login("unknown.test"),
            "refused.test": Login("refused.test", HERE, "root", free_port(), str(server.client)),
            "stranger.test": server.login("stranger.test", key=str(tmp_path / "other")),
            "password.test": server.login("password.test", key="", password=SECRET),
            "hanging.test": Login("hanging.test", HERE, "root", hanging, str(server.client)),
        }
        pins = {"changed.test": tmp_path / "others", "unknown.test": tmp_path / "none"}
        pin(pins["changed.test"], logins["changed.test"], other)
        targets = [target(login, pins.get(name, known_hosts)) for name, login in logins.items()]
        ours = {"name": "Compare", "ansible.builtin.assert": {"that": True}}  # no device is asked for that
        play = Play(tmp_path, [ours, write(tmp_path / "file")], targets)
        play(Step.APPLY)
    outcomes = play.outcomes()
    assert outcomes["good.test"] == (Outcome.DONE, "")
    assert {outcome for name, (outcome, _reason) in outcomes.items() if name != "good.test"} == {Outcome.UNREACHABLE}
    assert {name: reason.split(":")[0].split(";")[0].split("(")[0] for name, (_o, reason) in outcomes.items()} == {
        "good.test": "",
        "changed.test": "the host key has changed",
        "unknown.test": "no host key is pinned",
        "refused.test": "the connection was refused",
        "stranger.test": "the login was refused ",
        "password.test": "the login was refused ",
        "hanging.test": "it accepted the connection and then said nothing for 10 s",
    }
    assert outcomes["changed.test"][1].endswith("then: tuyen hosts trust changed.test --replace")


def test_way_leads_through_a_jump_host(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    with sshd(tmp_path / "jump") as jump:
        pin(known_hosts, jump.login("jump.test"), public(jump.host_keys["ed25519"]))
        way = (jump.login("jump.test"),)
        play = Play(tmp_path, [write(tmp_path / "file")], [target(server.login(), known_hosts, way)])
        assert play(Step.APPLY)[-1] == Done("box.test", Outcome.DONE)
        assert "Accepted publickey" in (tmp_path / "jump" / "log").read_text()


def test_jump_host_that_fails_is_named(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    jump = Login("jump.test", HERE, "root", free_port(), str(server.client))
    pin(known_hosts, jump, public(server.host_keys["ed25519"]))
    play = Play(tmp_path, [write(tmp_path / "file")], [target(server.login(), known_hosts, (jump,))])
    (done,) = play(Step.APPLY)
    assert isinstance(done, Done)
    assert done.outcome is Outcome.UNREACHABLE
    assert "jump.test" in done.reason
    assert f"refuses port {jump.port}" in done.reason


def test_secrets_stay_out_of_events_logs_arguments_and_environment(
    server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    tasks: Tasks = [
        write(tmp_path / "file", "{{ key }}\n"),
        {"name": "Fail", "ansible.builtin.command": {"argv": ["ls", "/{{ key }}"]}},
    ]
    play = Play(tmp_path, tasks, [target(server.login(), known_hosts, key=SECRET)])
    seen: set[bytes] = set()

    def look(_event: Event) -> None:
        for path in (*Path("/proc").glob("[0-9]*/environ"), *Path("/proc").glob("[0-9]*/cmdline")):
            if path.parent.name != str(os.getpid()):
                with_content = _content(path)
                if b"ansible" in with_content:
                    seen.add(with_content)

    told = play(Step.APPLY, look)
    assert (tmp_path / "file").read_text() == SECRET + "\n"
    assert seen
    assert not any(SECRET.encode() in content for content in seen)
    assert SECRET not in repr(told)
    assert HIDDEN in repr(told)
    logs = [path for path in play.folder.rglob("*") if path.is_file()]
    assert any(HIDDEN in path.read_text() for path in logs)
    assert not any(part in path.read_text() for path in logs for part in (SECRET, json.dumps(SECRET)[1:-1]))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_stop_ends_everything_soon(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    play = Play(tmp_path, [sleep(50), write(tmp_path / "file")], [target(server.login(), known_hosts)])
    threading.Timer(3.0, stop.set).start()
    begun = time.monotonic()
    assert play(Step.APPLY, stop=stop) == [Done("box.test", Outcome.FAILED, "interrupted")]
    assert time.monotonic() - begun < 10
    assert _started(tmp_path) == []
    assert not (tmp_path / "file").exists()


def test_time_out_is_told_and_ends_everything(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(tmp_path, [sleep(50)], [target(server.login(), known_hosts)], timeout=4.0)
    assert play(Step.APPLY) == [Done("box.test", Outcome.UNREACHABLE, "no answer within 4 s, and given up")]
    assert _started(tmp_path) == []


def test_who_hangs_does_not_spoil_the_others(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    boxes = [target(server.login(f"{name}.test"), known_hosts, slow=name == "slow") for name in ("slow", "quick")]
    play = Play(tmp_path, [write(tmp_path / "file"), sleep(50) | {"when": "slow"}], boxes, timeout=15.0)
    play(Step.APPLY)
    assert play.outcomes() == {
        "quick.test": (Outcome.DONE, ""),
        "slow.test": (Outcome.FAILED, "not finished within 15 s, and stopped"),
    }
    assert _started(tmp_path) == []


def test_play_that_cannot_be_read_fails_every_device(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(tmp_path, [{"name": "Odd", "no_such_module": {}}], [target(server.login(), known_hosts)])
    (done,) = play(Step.APPLY)
    assert isinstance(done, Done)
    assert done.outcome is Outcome.FAILED
    assert "no_such_module" in done.reason


def test_device_gets_the_rest_when_we_are_killed(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    tasks = [write(tmp_path / "first"), sleep(3), write(tmp_path / "second")]
    play = Play(tmp_path, tasks, [target(server.login(), known_hosts)])
    run = [sys.executable, "-c", _PERFORM, str(play.job.folder), str(known_hosts), str(server.port), str(server.client)]
    process = subprocess.Popen([*run, str(play.folder)], stdout=subprocess.DEVNULL)
    _wait(lambda: (tmp_path / "first").exists())
    os.kill(process.pid, signal.SIGKILL)
    process.wait(5)
    _wait(lambda: (tmp_path / "second").exists())
    _wait(
        lambda: not [pid for pid in _started(tmp_path) if b"ansible-playbook" in _content(Path(f"/proc/{pid}/cmdline"))]
    )
    left = [path for path in ROOMS.glob("tuyen-ansible-*") if f"{tmp_path}" in (path / "ssh_config").read_text()]
    os.utime(left[0], (0, 0))
    for pid in _started(tmp_path):  # ssh's masters, which would end by themselves later
        os.kill(pid, signal.SIGTERM)
    _wait(lambda: not _started(tmp_path))
    play(Step.CHECK)
    assert not left[0].exists()


_PERFORM = """
import sys
from pathlib import Path
from playbooks.batch import Batch
from playbooks.drivers.ansible import perform
from playbooks.job import Step
from playbooks.mask import Mask
from playbooks.target import Login
from tests.playbooks.test_driver_ansible import device, target
from playbooks.job import Job, JobShape
folder, known_hosts, port, key, run = sys.argv[1:]
shape = JobShape(about={"en": "a test"}, driver="ansible", fits="platform=linux")
box = target(Login("box.test", "127.0.0.1", "root", int(port), key), Path(known_hosts))
perform(Batch(Job("job", Path(folder), shape, ""), Step.APPLY, (box,), Path(run), print, Mask([])))
"""


def _started(home: Path) -> list[int]:
    home_is, mark = f"HOME={home}".encode(), f"{MARK}=".encode()
    environments = {path: _content(path).split(b"\0") for path in Path("/proc").glob("[0-9]*/environ")}
    return [
        int(path.parent.name)
        for path, words in environments.items()
        if home_is in words and any(word.startswith(mark) for word in words)
    ]


def _wait(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
