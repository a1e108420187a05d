"""`tuyen schedule` on a booted machine: hardened units that really run, a watch that comes back, and nothing left."""

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.keypair import KEY
from inventory.secrets import encrypt
from tests.journeys.installed import HOME, install
from tests.journeys.provisioned import wait_until
from tests.playbooks.field import Field, field_of

BOX = "box.dong-2"
TUYEN = f"{HOME}/environment/bin/tuyen --lang en --province /srv/province"
VAULT = "/etc/tuyen/vault-password"
PLANTED = ("planted-vault-password-77", "planted-community-4711")
SETTINGS = """
alerts: {by: nobody, relay: "127.0.0.1:2525"}
schedule:
  reports: {formats: [pdf, json]}
"""
STAFF = """
  tuyen: {name: Máy tự động, roles: [operator], under: centre, notify: ["mailto:truc@machines.example"]}
"""


class Controller:
    """The machine on which tuyen is installed."""

    def __init__(self, field: Field) -> None:
        self.field = field

    def run(self, script: str, seconds: float = 300) -> str:
        return self.field.shell(BOX, script, seconds).strip()

    def show(self, what: str, unit: str = "tuyen-watch") -> str:
        return self.run(f"systemctl show -P {what} {unit}")

    def answers(self) -> bool:
        return '"status":"ok"' in self.run("curl -s localhost:9733/healthz || true")


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    folder = tmp_path_factory.mktemp("schedule")
    with field_of(folder, BOX) as field:
        install(field, BOX, _province(field, folder / "controller"))
        found = Controller(field)
        found.run(f"mkdir -p /etc/tuyen; umask 077; printf %s {PLANTED[0]} > {VAULT}")
        catcher = base64.b64encode(Path(__file__).with_name("smtp_catcher.py").read_bytes()).decode()
        found.run(f"echo {catcher} | base64 -d > /root/catcher.py")
        found.run(
            f"setsid {HOME}/environment/bin/python /root/catcher.py 2525 /root/mail > /dev/null 2>&1 < /dev/null &"
        )
        yield found


def _province(field: Field, home: Path) -> Path:
    """Return the field's province as one that is in use: with a vault, whose password is not in it."""
    (home / ".tuyen").mkdir(parents=True)
    shutil.copytree(field.folder, home, ignore=shutil.ignore_patterns("lab", ".tuyen"), dirs_exist_ok=True)
    for name in (KEY, Path(".tuyen/known_hosts")):
        shutil.copy(field.folder / name, home / name)
    text = (home / "province.yaml").read_text().replace("practice: true\n", "")  # inside the lab it is not seen as such
    (home / "province.yaml").write_text(text + SETTINGS)
    (home / "people.yaml").write_text((home / "people.yaml").read_text().rstrip() + STAFF)
    password = home / ".tuyen/vault-password"
    password.write_text(PLANTED[0])
    encrypt(home, {"snmp-community": PLANTED[1]})
    password.unlink()
    return home


@pytest.fixture(scope="module")
def installed(controller: Controller) -> Controller:
    said = controller.run(f"{TUYEN} schedule install --yes --vault-password {VAULT} 2>&1")
    assert said.endswith("18 units in /etc/systemd/system"), said[-2000:]
    wait_until(controller.answers, 60)
    return controller


def test_a_dry_run_shows_everything_and_writes_nothing(controller: Controller) -> None:
    said = controller.run(f"{TUYEN} schedule install --dry-run --vault-password {VAULT}")
    assert "+++ tuyen-watch.service" in said
    assert "+LoadCredential=vault-password:/etc/tuyen/vault-password" in said
    assert controller.run("ls /etc/systemd/system | grep -c tuyen || true") == "0"


def test_the_watch_runs_hardened_and_asks_everything(installed: Controller) -> None:
    assert installed.show("ActiveState") == "active"
    status = installed.run("cat /proc/$(systemctl show -P MainPID tuyen-watch)/status")
    assert f"Uid:\t{installed.run('id -u tuyen')}\t" in status
    for line in ("CapEff:\t0000000000002000", "NoNewPrivs:\t1", "Seccomp:\t2"):  # CAP_NET_RAW, and nothing else
        assert line in status
    wait_until(lambda: '"questions":100,"answered":100' in installed.run("curl -s localhost:9733/healthz"), 120)
    up = installed.run("curl -s localhost:9733/metrics | grep -c 'tuyen_device_state.*state=\"up\".* 1.0'")
    assert int(up) > 20  # by ping, among others


def test_a_watch_that_is_killed_comes_back(installed: Controller) -> None:
    before = installed.show("MainPID")
    installed.run(f"kill -9 {before}")
    wait_until(lambda: installed.show("MainPID") not in (before, "0"), 60)
    wait_until(installed.answers, 60)
    assert int(installed.show("NRestarts")) >= 1


def test_a_watch_that_hangs_is_started_anew(installed: Controller) -> None:
    assert installed.show("WatchdogUSec") == "2min"
    installed.run("mkdir -p /run/systemd/system/tuyen-watch.service.d")
    installed.run("printf '[Service]\\nWatchdogSec=6\\n' > /run/systemd/system/tuyen-watch.service.d/quick.conf")
    installed.run("systemctl daemon-reload; systemctl restart tuyen-watch")
    wait_until(installed.answers, 60)
    before = installed.show("MainPID")
    installed.run("sleep 8")  # more than it may be silent for: it says that it lives
    assert installed.show("MainPID") == before
    installed.run(f"kill -STOP {before}")
    wait_until(lambda: installed.show("MainPID") not in (before, "0"), 120)
    installed.run("rm -r /run/systemd/system/tuyen-watch.service.d; systemctl daemon-reload")
    wait_until(installed.answers, 60)


def test_the_timers_are_there_in_the_province_s_time(installed: Controller) -> None:
    listed = installed.run("systemctl list-timers --all --no-pager --no-legend 'tuyen-*'")
    jobs = re.findall(r"tuyen-([a-z-]+)\.timer", listed)
    reports = ["report-daily", "report-monthly", "report-weekly"]
    assert sorted(jobs) == ["audit", "backup", "certificates", "drift", "facts", *reports]
    assert "01:30:00 Asia/Ho_Chi_Minh" in installed.show("TimersCalendar", "tuyen-backup.timer")


def test_the_nightly_jobs_do_their_work(installed: Controller) -> None:
    reports = ("report-daily", "report-weekly", "report-monthly")
    names = [f"tuyen-{job}" for job in ("backup", "audit", "certificates", "facts", "drift", *reports)]
    installed.run(f"systemctl start {' '.join(names)} || true")
    for name in names:
        log = installed.run(f"journalctl -u {name} -n 30 --no-pager -o cat")
        assert installed.show("Result", name) == "success", log
        assert "Finished" in log
    saved = installed.run("ls /srv/province/.tuyen/backups/*")
    assert installed.run(f"{TUYEN} state check {saved}").startswith(f"{saved}: whole")
    assert BOX in installed.run("cat /srv/province/facts/*.yaml")  # it was asked by SSH, as any other
    written = installed.run("ls /srv/province/reports").split()
    assert {name.rpartition(".")[2] for name in written} == {"pdf", "json"}
    assert {name.partition("-")[0] for name in written} == {"daily", "weekly", "uptime"}


def test_a_job_that_fails_is_told(installed: Controller) -> None:
    installed.run("mkdir -p /run/systemd/system/tuyen-audit.service.d")
    installed.run(
        "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > /run/systemd/system/tuyen-audit.service.d/x.conf"
    )
    installed.run("systemctl daemon-reload; systemctl start tuyen-audit || true")
    wait_until(lambda: "tuyen-audit" in installed.run("cat /root/mail || true"), 60)
    mail = installed.run("cat /root/mail")
    assert "truc@machines.example" in mail
    installed.run("rm -r /run/systemd/system/tuyen-audit.service.d; systemctl daemon-reload")


def test_no_secret_is_in_units_or_journal(installed: Controller) -> None:
    for planted in PLANTED:
        assert installed.run(f"grep -r {planted} /etc/systemd/system || true") == ""
        assert installed.run(f"journalctl --no-pager | grep {planted} || true") == ""


def test_what_is_installed_differs_in_nothing_and_another_s_file_is_left_alone(installed: Controller) -> None:
    again = f"{TUYEN} schedule install --vault-password {VAULT}"
    assert installed.run(f"{again} --dry-run") == "nothing differs"
    installed.run("sed -i 1d /etc/systemd/system/tuyen-drift.timer")
    said = installed.run(f"{again} --yes 2>&1 || true")
    assert "not written by tuyen, and are left alone: /etc/systemd/system/tuyen-drift.timer" in said
    installed.run("rm /etc/systemd/system/tuyen-drift.timer; systemctl daemon-reload")
    assert installed.run(f"{again} --yes").endswith("18 units in /etc/systemd/system")


def test_remove_leaves_nothing_but_the_state(installed: Controller) -> None:
    assert installed.run(f"{TUYEN} schedule remove --yes").endswith("18 units removed")
    assert installed.run("systemctl list-units --all --no-legend --no-pager 'tuyen*'") == ""
    left = installed.run(
        "find /etc/systemd /run/systemd /run/tuyen* /var/lib/systemd -name '*tuyen*' 2>/dev/null || true"
    )
    assert left == ""
    assert installed.run("pgrep -u tuyen || true") == ""
    assert installed.run("ls /srv/province/.tuyen/ledger.sqlite") != ""
