"""The pyinfra driver against OpenSSH on loopback: what it tells, and what it hides."""

import dataclasses
from pathlib import Path

from playbooks.drivers.pyinfra_process import LOG
from playbooks.event import Change, Doing, Done, Event, Note, Outcome
from playbooks.job import Step
from playbooks.mask import HIDDEN
from playbooks.target import Login
from tests.exporters.daemons import HERE, free_port, peer
from tests.playbooks.loopback import Server, key_pair, pin, public, sshd
from tests.playbooks.pyinfra_play import DONE, SECRET, WRITE, Play, target


def test_check_foresees_what_apply_changes_and_then_nothing_is_left(
    server: Server, known_hosts: Path, tmp_path: Path
) -> None:
    apply = """
        one = written(name="Write it", content="one\\ntwo\\n", path=values["file"], mode="600")
        put = files.put(name="Put it", src=StringIO("three"), dest=values["file"] + "2", mode="640")
        server.shell(name="React", commands=["true"], _if=changed(one, put))
        server.shell(name="Never", commands=["false"], _if=lambda: False)
    """
    file = tmp_path / "file"
    play = Play(tmp_path, [target(server.login(), known_hosts, file=str(file))], apply=apply)
    foreseen = play(Step.CHECK)
    assert not file.exists()
    diff = f"--- /dev/null\n+++ {file}2\n@@ -0,0 +1 @@\n+three\n\\ No newline at end of file\n$ chmod 640 {file}2"
    assert foreseen == [
        Change("box.test", "Write it", f"--- /dev/null\n+++ {file}\n@@ -0,0 +1,2 @@\n+one\n+two"),
        Change("box.test", "Put it", diff),
        Change("box.test", "React", "$ true"),
        Done("box.test", Outcome.DONE),
    ]
    assert play(Step.APPLY) == foreseen
    assert file.read_text() == "one\ntwo\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert any(isinstance(event, Doing) and event.what == "Write it" for event in play.told)
    assert play(Step.CHECK) == play(Step.APPLY) == [Done("box.test", Outcome.DONE)]
    file.write_bytes(b"one\n2\n\xff")
    (change,) = play.changes(Step.CHECK)[:1]
    text = "@@ -1,3 +1,2 @@\n one\n-2\n-\N{REPLACEMENT CHARACTER}\n\\ No newline at end of file\n+two"
    assert change.diff == f"--- {file}\n+++ {file}\n{text}"


def test_what_cannot_be_foreseen_is_told_as_decided_at_apply(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    apply = """
        def fill():
            open(values["file"], "w").close()
        one = python.call(name="Call", function=fill)
        server.shell(name="React", commands=["true"], _if=changed(one))
        package = server.shell(name="Install", commands=["true"])
        with behind(package):
            server.shell(name="Start", commands=["true"])
        server.shell(name="Surely", commands=["true"], _if=changed(package))
    """
    play = Play(tmp_path, [target(server.login(), known_hosts, file=str(tmp_path / "file"))], apply=apply)
    foreseen = {change.what: (change.diff, change.foreseen) for change in play.changes(Step.CHECK)}
    assert foreseen == {
        "Call": ("", False),
        "React": ("", False),
        "Install": ("$ true", True),
        "Start": ("", False),
        "Surely": ("$ true", True),
    }
    assert not (tmp_path / "file").exists()
    assert [change.what for change in play.changes(Step.APPLY)] == list(foreseen)
    assert (tmp_path / "file").exists()


def test_verify_tells_no_changes_and_may_say_what_is_wrong(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    verify = """
        note("looking")
        server.shell(name="Look", commands=["test -e " + values["file"]])
        if values["tuyen"]["id"] == "box.b":
            raise NotAtTargetError("the service is down")
    """
    logins = [dataclasses.replace(server.login(), device=name) for name in ("box.a", "box.b")]
    targets = [target(login, known_hosts, file="/etc/passwd", tuyen={"id": login.device}) for login in logins]
    play = Play(tmp_path, targets, verify=verify)
    assert play.ended(Step.VERIFY) == {"box.a": DONE, "box.b": (Outcome.FAILED, "the service is down")}
    assert not any(isinstance(event, Change) for event in play.told)
    assert Note("box.a", "looking") in play.told


def test_each_failure_has_its_reason_and_the_others_go_on(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    apply = """
        kind = values["kind"]
        if kind == "no tpm":
            raise NotApplicableError("this machine has no TPM")
        if kind == "bug":
            values["nothing"]
        server.shell(name="Work", commands=["echo noise; echo sorry, no >&2; exit 3" if kind == "words" else "true"])
        if kind == "fact":
            files.put(name="Ask", src=StringIO("x"), dest="/", _env={"PATH": "/nowhere"})
        server.shell(name="Last", commands=["touch " + values["file"]])
    """
    kinds = ("good", "words", "no tpm", "bug", "fact")
    logins = {kind: dataclasses.replace(server.login(), device=f"box.{kind}") for kind in kinds}
    targets = [target(logins[kind], known_hosts, kind=kind, file=str(tmp_path / kind)) for kind in kinds]
    play = Play(tmp_path, targets, apply=apply)
    ended = play.ended(Step.APPLY)
    assert ended.pop("box.fact")[0] is Outcome.FAILED
    assert ended == {
        "box.good": DONE,
        "box.words": (Outcome.FAILED, "'Work': sorry, no"),
        "box.no tpm": (Outcome.NOT_APPLICABLE, "this machine has no TPM"),
        "box.bug": (Outcome.FAILED, "the job itself is wrong: KeyError: 'nothing'"),
    }
    assert [kind for kind in kinds if (tmp_path / kind).exists()] == ["good"]


def test_a_fact_that_cannot_be_had_stops_the_device(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    apply = """
        host.get_fact(Command, "exit 7")
        server.shell(name="Go on", commands=["touch " + values["file"]])
    """
    play = Play(tmp_path, [target(server.login(), known_hosts, file=str(tmp_path / "file"))], apply=apply)
    for step in (Step.CHECK, Step.APPLY):
        outcome, reason = play.ended(step)["box.test"]
        assert outcome is Outcome.FAILED
        assert reason == "'looking at it': the device cannot be asked how it is; its log says why"
    assert not (tmp_path / "file").exists()


def test_each_way_of_not_getting_in_has_its_reason(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    stranger, other_key = key_pair(tmp_path / "stranger"), key_pair(tmp_path / "other")
    with sshd(tmp_path / "changed") as changed, peer(lambda connection: connection.settimeout(30)) as silent:
        refused = Login("box.refused", HERE, "root", free_port(), str(server.client))
        hanging = Login("box.hanging", HERE, "root", silent, str(server.client))
        pin(known_hosts, changed.login(), public(other_key))
        for login in (refused, hanging):
            pin(known_hosts, login, public(other_key))
        logins = [
            dataclasses.replace(server.login(), device="box.good"),
            dataclasses.replace(server.login(), device="box.key", key=str(stranger)),
            dataclasses.replace(changed.login(), device="box.changed"),
            refused,
            hanging,
        ]
        play = Play(tmp_path, [target(login, known_hosts) for login in logins], apply='note("in")')
        ended = play.ended(Step.CHECK)
    assert ended.pop("box.good") == DONE
    assert {outcome for outcome, _reason in ended.values()} == {Outcome.UNREACHABLE}
    reasons = {device: reason for device, (_outcome, reason) in ended.items()}
    assert "refuses the key" in reasons["box.key"]
    assert "host key has changed" in reasons["box.changed"]
    assert "refuses port" in reasons["box.refused"]
    assert "silent" in reasons["box.hanging"] or "closes the connection" in reasons["box.hanging"]


def test_through_two_jump_hosts(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    with sshd(tmp_path / "one") as one, sshd(tmp_path / "two") as two:
        for hop in (one, two):
            hop.pinned(known_hosts)
        jumps = (one.login("relay.one"), two.login("relay.two"))
        play = Play(tmp_path, [target(server.login(), known_hosts, jumps, file=str(tmp_path / "file"))], apply=WRITE)
        assert play.ended(Step.APPLY) == {"box.test": DONE}
    assert play.ended(Step.CHECK)["box.test"][0] is Outcome.UNREACHABLE, "there is no other way"


def test_a_device_that_goes_away_in_the_middle(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    logins = [dataclasses.replace(server.login(), device=name) for name in ("box.gone", "box.good")]
    apply = """
        if values["gone"]:
            server.shell(name="Vanish", commands=["kill -9 $PPID; sleep 5"])
        server.shell(name="Last", commands=["true"])
    """
    targets = [target(login, known_hosts, gone=login.device == "box.gone") for login in logins]
    assert Play(tmp_path, targets, apply=apply).ended(Step.APPLY) == {
        "box.gone": (Outcome.UNREACHABLE, "it went away during 'Vanish'"),
        "box.good": DONE,
    }


def test_secrets_stay_hidden(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    apply = """
        print(values["secret"])
        note("it is " + values["secret"])
        report({"about": "x"})
        written(name="Write " + values["secret"], content=values["secret"] + "\\n", path=values["file"], mode="600")
        server.shell(name="Look", commands=["cat " + values["file"] + "; sleep 0.5; exit 1"])
    """
    file = tmp_path / "file"
    seen: list[str] = []

    def look(_event: Event) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    seen.append((process / name).read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue

    play = Play(tmp_path, [target(server.login(), known_hosts, secret=SECRET, file=str(file))], apply=apply)
    for step in (Step.CHECK, Step.APPLY, Step.CHECK):
        play(step, look)
        assert SECRET not in repr(play.told).replace("\\", "")
        assert SECRET not in "".join(str(part) for event in play.told for part in event)
    assert file.read_text() == f"{SECRET}\n"
    assert HIDDEN in (play.folder / "box.test.log").read_text()
    assert (play.folder / LOG).read_text().count(HIDDEN) >= 3
    for log in play.folder.iterdir():
        assert SECRET not in log.read_text()
        assert "bcOtdA" not in log.read_text(), "nor in base64"
    assert not any(SECRET in text for text in seen)


def test_facts_are_handed_over(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(
        tmp_path, [target(server.login(), known_hosts)], apply='report({"cpus": 4, "disks": [{"name": "sda"}]})'
    )
    assert play.ended(Step.CHECK) == {"box.test": DONE}
    assert play.facts == {"box.test": {"cpus": 4, "disks": [{"name": "sda"}]}}


def test_a_step_that_the_job_does_not_have(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(tmp_path, [target(server.login(), known_hosts)], apply="pass")
    assert play.ended(Step.ROLLBACK) == {"box.test": (Outcome.FAILED, "the job 'test' has no rollback.py")}


def test_a_job_that_cannot_be_read_fails_all(server: Server, known_hosts: Path, tmp_path: Path) -> None:
    play = Play(tmp_path, [target(server.login(), known_hosts)], apply="this is no Python")
    outcome, reason = play.ended(Step.CHECK)["box.test"]
    assert outcome is Outcome.FAILED
    assert reason.startswith("pyinfra ended in the middle (code 1): ")
    assert "SyntaxError" in (play.folder / LOG).read_text()
