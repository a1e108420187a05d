"""`tuyen account`: passwords asked without echo or read, those that are refused, tokens shown once, who may do it."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exporters.access.passwords import fits
from ledger import accounts, tokens
from ledger.audit import entries
from ledger.connection import FILE, open_ledger
from tests.cli.test_outage import PEOPLE, as_root
from tests.conftest import NO_NETWORK, SECONDS, Tuyen
from tests.exporters.test_health import GOOD

GOOD_ONE = "con trâu ăn cỏ 7"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(shutil.copytree(GOOD, tmp_path / "province"))
    with (made / "people.yaml").open("a") as people:
        people.write(PEOPLE)
    return made


def told(password: str, folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `tuyen account`, with a password on standard input."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("TUYEN_", "LC_", "LANG", "SUDO_"))}
    command = [*NO_NETWORK, sys.executable, "-m", "cli", "account", *words, "--password-stdin"]
    return subprocess.run(
        command,
        input=f"{password}\n",
        cwd=folder,
        env={**plain, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def typed(folder: Path, lines: list[str], *words: str) -> tuple[int, str]:
    """Run `tuyen account` on a terminal, type a line at each question, and return the exit code and the screen."""
    ours, theirs = pty.openpty()
    command = [*NO_NETWORK, sys.executable, "-m", "cli", "--lang", "en", "account", *words]
    child = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    screen, waiting, until = "", list(lines), time.monotonic() + SECONDS
    try:
        while time.monotonic() < until and select.select([ours], [], [], SECONDS)[0]:
            try:
                screen += os.read(ours, 4096).decode()
            except OSError:  # the terminal is gone with the last of its users
                break
            if waiting and screen.endswith(": "):
                os.write(ours, f"{waiting.pop(0)}\n".encode())
        return child.wait(SECONDS), screen
    finally:
        child.kill()
        os.close(ours)


def test_a_password_is_asked_twice_without_echo(folder: Path) -> None:
    code, screen = typed(folder, [GOOD_ONE, GOOD_ONE], "add", "lan")
    assert code == 0, screen
    assert GOOD_ONE not in screen
    assert screen.endswith("lan may log in\r\n")
    with open_ledger(folder / FILE) as ledger:
        (only,) = accounts.accounts(ledger)
    assert fits(only.hash, GOOD_ONE)
    assert not fits(only.hash, GOOD_ONE + " ")


def test_two_that_differ_are_asked_again(folder: Path) -> None:
    code, screen = typed(folder, [GOOD_ONE, "something else 12", GOOD_ONE, GOOD_ONE], "add", "lan")
    assert code == 0, screen
    assert "do not match" in screen


def test_a_bad_password_is_refused_with_the_reason(folder: Path) -> None:
    done = told("LAN-2026-2026", folder, "add", "lan")
    why = "the password is little more than the name of the account; take another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", why)
    with open_ledger(folder / FILE) as ledger:
        assert accounts.accounts(ledger) == ()


def test_only_people_get_accounts_and_only_one(folder: Path) -> None:
    stranger = told(GOOD_ONE, folder, "add", "la")
    assert stranger.returncode == 2
    assert "'la' is not in people.yaml; write 'lan'" in stranger.stderr.replace("\n", " ")
    assert told(GOOD_ONE, folder, "add", "lan").returncode == 0
    again = told(GOOD_ONE, folder, "add", "lan")
    assert (again.returncode, again.stderr.split(";")[0]) == (1, "lan has an account already")
    assert told(GOOD_ONE, folder, "passwd", "mai").returncode == 2  # none yet


def test_accounts_are_listed_without_their_hashes(tuyen: Tuyen, folder: Path) -> None:
    assert told(GOOD_ONE, folder, "add", "lan").returncode == 0
    assert told(GOOD_ONE, folder, "add", "mai").returncode == 0
    assert tuyen("account", "disable", "lan", cwd=folder).returncode == 0
    with (folder / "people.yaml").open() as file:
        people = file.read()
    (folder / "people.yaml").write_text(people[: people.index("  mai:")])
    listed = tuyen("account", "list", cwd=folder)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["PERSON", "lan", "mai"]
    assert "closed" in listed.stdout
    assert "not in people.yaml any more" in listed.stdout
    items = json.loads(tuyen("account", "list", "--format", "json", cwd=folder).stdout)["items"]
    assert [(one["person"], one["in_people"], one["disabled"] is None) for one in items] == [
        ("lan", True, False),
        ("mai", False, True),
    ]
    assert "argon2" not in listed.stdout + str(items)
    assert tuyen("account", "enable", "lan", cwd=folder).returncode == 0
    assert tuyen("account", "disable", "nobody", cwd=folder).returncode == 2


def test_a_token_is_shown_once_and_nowhere_else(tuyen: Tuyen, folder: Path) -> None:
    assert tuyen("account", "token", "create", "lan", "--label", "x", cwd=folder).returncode == 2  # no account yet
    assert told(GOOD_ONE, folder, "add", "lan").returncode == 0
    made = tuyen("account", "token", "create", "lan", "--label", "wall board", "--expires", "2d", cwd=folder)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()  # alone, so that it can be piped
    with open_ledger(folder / FILE) as ledger:
        found = tokens.find(ledger, secret)
        assert found is not None
        assert secret not in str(entries(ledger))
    (item,) = json.loads(tuyen("account", "token", "list", "--format", "json", cwd=folder).stdout)["items"]
    assert (item["id"], item["person"], item["label"]) == (found.id, "lan", "wall board")
    assert secret not in str(item) + made.stderr
    assert "good" in tuyen("account", "token", "list", "lan", cwd=folder).stdout
    assert tuyen("account", "token", "revoke", found.id, cwd=folder).returncode == 0
    assert "revoked" in tuyen("account", "token", "list", cwd=folder).stdout
    assert tuyen("account", "token", "revoke", found.id, cwd=folder).returncode == 2
    past = tuyen("account", "token", "create", "lan", "--label", "x", "--expires", "2020-01-01", cwd=folder)
    assert past.returncode == 2


@as_root
def test_people_manage_themselves_and_who_operates_everything_manages_all(tuyen: Tuyen, folder: Path) -> None:
    assert told(GOOD_ONE, folder, "add", "mai", SUDO_USER="mai").returncode == 0
    for account in ("binh", "nobody-known"):  # a district's operator would get the whole province's view
        for words in (("passwd", "mai"), ("add", "lan")):
            refused = told(GOOD_ONE, folder, *words, SUDO_USER=account)
            assert refused.returncode == 1, words
            assert f"'{account}'" in refused.stderr
        for more in (("disable", "mai"), ("token", "create", "mai", "--label", "x")):
            assert tuyen("account", *more, cwd=folder, SUDO_USER=account).returncode == 1, more
    assert tuyen("account", "disable", "mai", cwd=folder, SUDO_USER="lan").returncode == 0
    assert tuyen("account", "enable", "mai", cwd=folder, SUDO_USER="mai").returncode == 1
    assert tuyen("account", "enable", "mai", cwd=folder, SUDO_USER="lan").returncode == 0
