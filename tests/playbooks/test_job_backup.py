"""Backups of a booted commune box to its district's server: made, restored, kept apart, and missed."""

from collections.abc import Iterator
from typing import Any

import pytest

from playbooks.event import Change, Done, Event, Note, Outcome
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

BOX, SERVER = "box.dong-4", "server.dong"
SECRETS = {"backup-password": "chìa khóa 77e0"}
FIRST = "Make the first backup now"


@pytest.fixture(scope="module")
def field(boot: Boot) -> Iterator[Field]:
    made = boot(f"id in ({BOX},{SERVER})")
    made.shell(BOX, "mkdir -p /srv/papers; echo 'hồ sơ 1' > /srv/papers/one")
    with made.mirror():
        yield made


def serve(field: Field, step: str) -> list[Event]:
    addresses = [device.address for device in field.devices("tier=commune,role=server")]
    return heard(field.perform("backup-server", step, SERVER, backup_clients=addresses))


def back_up(field: Field, step: str, **sets: Any) -> list[Event]:
    usual = {
        "backup_server": field.province.devices[SERVER].address,
        "backup_password": {"secret": "backup-password"},
        "backup_paths": ["/etc", "/srv"],
    }
    return heard(field.perform("backup", step, BOX, secrets=SECRETS, **{**usual, **sets}))


def heard(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Change | Note | Done)]


def test_without_a_place_on_the_server_the_first_backup_says_what_is_missing(field: Field) -> None:
    checked = back_up(field, "check")
    assert outcomes(checked)[BOX][0] is Outcome.DONE
    later = [change.what for change in changes(checked)[BOX] if not change.foreseen]
    assert later == ["Back up every day", FIRST]
    outcome, reason = outcomes(back_up(field, "apply"))[BOX]
    assert outcome is Outcome.FAILED
    assert "the first backup to 10.91" in reason
    assert "the server needs the job 'backup-server' first" in reason


def test_backups_are_made_checked_and_restored(field: Field) -> None:
    assert outcomes(serve(field, "apply"))[SERVER] == (Outcome.DONE, "")
    assert serve(field, "apply") == [Done(SERVER, Outcome.DONE)]
    assert [change.what for change in changes(back_up(field, "apply"))[BOX]] == [FIRST]
    assert back_up(field, "verify") == back_up(field, "apply") == [Done(BOX, Outcome.DONE)]
    field.shell(BOX, "rm -r /srv/papers && tuyen-backup restore latest --include /srv/papers --target /")
    assert field.shell(BOX, "cat /srv/papers/one") == "hồ sơ 1\n"
    field.shell(BOX, "systemctl start tuyen-backup")
    assert field.shell(BOX, "tuyen-backup snapshots --json").count('"short_id"') == 1, "one a day is kept"
    assert "tuyen-backup.service" in field.shell(BOX, "systemctl list-timers --no-pager")


def test_machine_sees_its_own_folder_on_the_server_and_nothing_else(field: Field) -> None:
    reach = "-F /etc/tuyen-backup/ssh_config"
    assert field.shell(BOX, f"echo 'ls /' | sftp -b - {reach} backup-server").split()[-1] == "/repository"
    refused = field.shell(BOX, f"ssh {reach} backup-server id 2>&1 || true")
    assert "uid=" not in refused
    owner = field.shell(SERVER, "stat -c '%U %a' /srv/backup/*/repository").split()
    assert owner == [f"bk-{field.province.devices[BOX].address.replace('.', '-')}", "700"]


def test_password_is_neither_shown_nor_logged(field: Field) -> None:
    told = back_up(field, "check", backup_password={"secret": "backup-password"})
    logged = "".join(path.read_text() for path in (field.folder / "run").iterdir() if path.is_file())
    assert SECRETS["backup-password"] not in logged + str(told)
    assert field.shell(BOX, "stat -c %a /etc/tuyen-backup/password") == "600\n"


def test_backup_that_was_cut_short_does_not_pass(field: Field) -> None:
    field.shell(BOX, "cp /var/lib/tuyen/last-backup /tmp/; date > /var/lib/tuyen/last-backup")
    outcome, reason = outcomes(back_up(field, "verify"))[BOX]
    assert (outcome, "Restore the mark of the last backup" in reason) == (Outcome.FAILED, True)
    field.shell(BOX, "cp /tmp/last-backup /var/lib/tuyen/")


def test_repository_that_is_damaged_does_not_pass(field: Field) -> None:
    field.shell(SERVER, "find /srv/backup/*/repository/data -type f | head -n 1 | xargs truncate --size=10")
    outcome, reason = outcomes(back_up(field, "verify"))[BOX]
    assert outcome is Outcome.FAILED
    # which of the two sees it first depends on what the damaged file held
    assert "Let restic check the repository" in reason or "Restore the mark of the last backup" in reason


def test_rollback_leaves_nothing_on_the_machine(field: Field) -> None:
    assert outcomes(back_up(field, "rollback"))[BOX] == (Outcome.DONE, "")
    left = "ls -d /etc/tuyen-backup /usr/local/sbin/tuyen-backup /etc/systemd/system/tuyen-backup* 2>/dev/null || true"
    assert field.shell(BOX, left) == ""
    assert back_up(field, "rollback") == [Done(BOX, Outcome.DONE)]
