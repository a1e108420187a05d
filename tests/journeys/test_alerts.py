"""tuyen's own alerts on the lab with the real watch, a mail server and a web hook: one cause, one message to each."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from inventory.load import load
from inventory.secrets import open_secrets
from lab.practice import enter_command, up
from lab.running import Lab
from ledger.connection import FILE
from tests.journeys.conftest import wait_for
from tests.journeys.test_outages import BEHIND, DISTRICT, Province

RECEIVERS = Path(__file__).parents[1] / "exporters"
MAIL, HOOK = 2525, 8080  # on the loopback of the controller's namespace
AFTER = 45
SILENCED = {"nam-yen": "maintenance", "hon-tre": "maintenance", "an-son": "link"}  # planned, recurring, acknowledged
PEOPLE = f"""\
people:
  nam:
    {{name: Nguyễn Hoàng Nam, roles: [operator], under: data-centre, notify: [mailto:nam@kiengiang.example]}}
  ngoc:
    name: Trần Thị Bích Ngọc
    roles: [approver]
    under: data-centre
    language: en
    notify: ["json://127.0.0.1:{HOOK}/ngoc"]
  diep:
    {{name: Huỳnh Ngọc Diệp, roles: [operator], under: an-bien, notify: [mailto:diep@kiengiang.example]}}
  hai:
    {{name: Võ Minh Hải, roles: [operator], under: kien-hai, notify: [mailto:hai@kiengiang.example]}}
"""
HEAD = f"""
alerts: {{by: tuyen, after: {AFTER} s, group_wait: 10 s, relay: "127.0.0.1:{MAIL}", sender: noc@kiengiang.example}}
maintenance:
  - {{select: under=hon-tre, why: the yearly work on the mast, opens: "00:00", closes: "00:00"}}
"""


class Message(NamedTuple):
    """What somebody was told."""

    to: str
    title: str
    text: str

    @property
    def is_over(self) -> bool:
        return "đã hết" in self.title or "resolved" in self.title


class Told(Province):
    """The province with its watch, and what its people were told."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        super().__init__(lab, folder)
        self.mails, self.posts = folder.parent / "mails", folder.parent / "posts"

    def messages(self) -> list[Message]:
        """Return all messages, sorted by whom they were for, oldest first."""
        mails = [json.loads(line) for line in self.mails.read_text().splitlines()]
        posts = [json.loads(line) for line in self.posts.read_text().splitlines()]
        assert all(len(mail["to"]) == 1 and mail["from"] == "noc@kiengiang.example" for mail in mails)
        found = [Message(mail["to"][0].partition("@")[0], mail["subject"], mail["text"]) for mail in mails]
        found += [Message(post["path"].strip("/"), post["title"], post["message"]) for post in posts]
        return sorted(found, key=lambda message: message.to)

    def readers(self, *, over: bool = False) -> list[str]:
        """Return who was told so, once for each message."""
        return [message.to for message in self.messages() if message.is_over is over]

    def away(self) -> dict[str, str]:
        """Return the offices that do not answer, and why; a busy machine may find others degraded."""
        return {node: one.cause for node, one in self.open("office").items() if one.state != "degraded"}

    def forget(self) -> None:
        """Begin anew once nothing is out and nothing waits to be told."""
        wait_for(lambda: not self.away(), 240, 1)
        time.sleep(15)
        self.mails.write_text("")
        self.posts.write_text("")


@contextmanager
def receiver(lab: Lab, script: str, port: int, file: Path) -> Iterator[None]:
    """Run one of the receivers in the controller's namespace until the block ends."""
    file.touch()
    command = enter_command(lab, [sys.executable, str(RECEIVERS / script), str(port), str(file)])
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def _make_small(folder: Path) -> None:
    """Leave two districts, so that a busy machine can follow, and write who is told."""
    for file in (folder / "offices").iterdir():
        if file.stem not in ("province", "an-bien", "kien-hai"):
            file.unlink()
    shutil.rmtree(folder / "rollouts")
    head = (folder / "province.yaml").read_text().splitlines(keepends=True)
    kept = "".join(line for line in head if "kind=city-hall" not in line)
    often = kept.replace("  ups:\n    probe: snmp\n", "  ups:\n    probe: snmp\n    interval: 10 s\n")
    assert often != kept
    (folder / "province.yaml").write_text(often + HEAD)
    (folder / "people.yaml").write_text(PEOPLE)


@pytest.fixture(scope="module")
def province(kien_giang: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = Path(shutil.copytree(kien_giang, tmp_path_factory.mktemp("alerts") / "kien-giang"))
    _make_small(folder)
    lab = up(load(folder), folder / ".tuyen" / "lab", secrets=open_secrets(folder), die_with_parent=True)
    made = Told(lab, folder)
    with ExitStack() as stack:
        stack.callback(lab.down)
        stack.enter_context(receiver(lab, "mail_receiver.py", MAIL, made.mails))
        stack.enter_context(receiver(lab, "kit_receiver.py", HOOK, made.posts))
        stack.callback(made.stop)
        made.start()
        wait_for(lambda: not made.away() and (folder / FILE).is_file(), 120)
        yield made


def test_a_district_is_one_message_to_each_through_two_kills(province: Told) -> None:
    province.lab.cut(DISTRICT)
    try:
        wait_for(lambda: set(province.away()) == {"an-bien", *BEHIND}, 120, 1)
        province.kill()  # before anybody was told, unless the machine is very busy
        province.start()
        took = wait_for(lambda: len(province.messages()) >= 3, 120, 1)
        print(f"told {took:.0f} s after the restart")
        province.kill()
        province.start()
        time.sleep(25)  # longer than what is forgotten would take to be told again
        assert province.readers() == ["diep", "nam", "ngoc"]
    finally:
        province.lab.restore()
    wait_for(lambda: len(province.messages()) >= 6, 120, 1)
    time.sleep(20)
    assert province.readers() == province.readers(over=True) == ["diep", "nam", "ngoc"]
    [ngoc, over] = [message for message in province.messages() if message.to == "ngoc"]
    assert ngoc.title == "[Tỉnh Kiên Giang] 1 alerts: Huyện An Biên (an-bien) is down: nothing there answers"
    assert "and 10 offices behind it" in ngoc.text
    assert "cause: link" in ngoc.text
    assert not any(office in ngoc.text for office in BEHIND)
    assert over.is_over
    assert over.text.startswith("* Huyện An Biên (an-bien)")
    [diep] = [message for message in province.messages() if message.to == "diep" and not message.is_over]
    assert "Huyện An Biên (an-bien)" in diep.title
    assert "nothing there answers" not in diep.title
    province.forget()


def test_power_is_told_and_nothing_of_what_is_planned_or_taken_care_of(province: Told) -> None:
    said = province.watched.run("outage", "plan", "under=nam-yen", "--until", "2h", "--why", "a new router")
    assert said.returncode == 0, said.stderr
    shown = province.watched.run("outage", "plan", "--format", "json")
    assert {item["selector"] for item in json.loads(shown.stdout)["items"]} == {"under=nam-yen", "under=hon-tre"}
    province.lab.set_supply("ups.dong-yen", battery=True)
    time.sleep(12)  # the watch looks into the ledger
    province.lab.cut([f"{office}.uplink" for office in SILENCED])
    try:
        wait_for(lambda: SILENCED.keys() <= province.away().keys(), 120, 0.5)
        said = province.watched.run("outage", "ack", "an-son", "--until", "4h")
        assert said.returncode == 0, said.stderr
        wait_for(lambda: len(province.messages()) >= 3, 180, 1)
        province.lab.cut(["dong-yen.uplink"])
        wait_for(lambda: len(province.messages()) >= 6, 180, 1)
        assert province.readers() == ["diep", "diep", "nam", "nam", "ngoc", "ngoc"]
        [battery, silence] = [message for message in province.messages() if message.to == "ngoc"]
        assert "ups.dong-yen runs on its battery: dong-yen has no mains" in battery.title
        assert "Xã Đông Yên (dong-yen) is down" in silence.title
        assert "cause: power; ups.dong-yen ran on its battery before the silence" in silence.text
        assert {office: province.away()[office] for office in SILENCED} == SILENCED
        checked = province.watched.run("check", "under=hon-tre")
        assert (checked.returncode, "the yearly work on the mast" in checked.stdout) == (0, True), checked.stdout
    finally:
        province.lab.restore()
        province.lab.set_supply("ups.dong-yen", battery=False)
    wait_for(lambda: len(province.readers(over=True)) >= 6, 300, 1)
    wait_for(lambda: not province.away(), 240, 1)
    time.sleep(20)
    assert province.readers() == province.readers(over=True) == ["diep", "diep", "nam", "nam", "ngoc", "ngoc"]
