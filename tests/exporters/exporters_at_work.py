"""A small network of its own, in which Debian's exporters answer for every machine of a small province.

snmpd answers on all of its addresses, node_exporter too, with one small disk that is nearly full and one that can only
be read; a page with a certificate is served on 443. tuyen watches, snmp_exporter reads, and Prometheus runs on the
rendered kit.
"""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exporters.kit.folder import write
from exporters.kit.rendering import render
from exporters.kit.settings import KitSettings
from inventory.load import load
from inventory.secrets import encrypt
from tests.exporters.authority import Authority
from tests.exporters.daemons import pass_persist

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "tests" / "provinces" / "good"
EVERY = 2  # seconds between two pings, two scrapes, two evaluations
COMMUNITY = "quan-sat"
WATCH, PROMETHEUS = "127.0.0.1:9733", "127.0.0.1:9090"
MAINS = {"2.1.0": 2, "2.2.0": 0, "2.3.0": 42, "2.4.0": 98, "4.1.0": 3, "6.1.0": 0}
BATTERY = {**MAINS, "2.1.0": 3, "2.2.0": 240, "2.4.0": 15, "4.1.0": 5, "6.1.0": 1}
NETWORK = "ip link set lo up && ip route add local 10.91.0.0/16 dev lo && mount --make-rprivate / && exec sleep 900"
_COLLECTORS = ("disable-defaults", "filesystem", "timex", "time", "uname")
_INTERFACE = {"indexes": [{"labelname": "ifIndex", "type": "gauge"}], "help": "of IF-MIB"}
_NAME = {"labels": ["ifIndex"], "labelname": "ifName", "oid": "1.3.6.1.2.1.31.1.1.1.1", "type": "DisplayString"}
SNMP_MODULES = {  # as version 0.21 reads them, Debian's: the community is the module's own
    "if_mib": {
        "walk": ["1.3.6.1.2.1.2.2.1.8", "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.6"],
        "get": ["1.3.6.1.2.1.1.3.0"],
        "metrics": [
            {"name": "sysUpTime", "oid": "1.3.6.1.2.1.1.3", "type": "gauge", "help": "hundredths of a second"},
            {"name": "ifOperStatus", "oid": "1.3.6.1.2.1.2.2.1.8", "type": "gauge", **_INTERFACE, "lookups": [_NAME]},
            {"name": "ifHCInOctets", "oid": "1.3.6.1.2.1.31.1.1.1.6", "type": "counter", **_INTERFACE},
        ],
        "version": 2,
        "auth": {"community": COMMUNITY},
    }
}


@dataclass
class AtWork:
    """The network, what runs in it, and the folder of its files."""

    folder: Path
    holder: int
    ends: contextlib.ExitStack

    @property
    def kit(self) -> Path:
        return self.folder / "kit"

    def inside(self, *words: str) -> list[str]:
        return ["nsenter", "--target", str(self.holder), "--net", "--mount", "--pid", "--", *words]

    def start(self, *words: str, **environment: str) -> None:
        added = [f"{name}={value}" for name, value in environment.items()]
        with (self.folder / f"{Path(words[0]).name}.log").open("ab") as log:
            command = self.inside("env", f"--chdir={self.kit}", *added, *words)
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.ends.callback(process.wait, 20)  # it ends with the network

    def do(self, *words: str) -> str:
        return subprocess.run(self.inside(*words), capture_output=True, text=True, timeout=30, check=True).stdout

    def get(self, path: str, *options: str) -> Any:
        """Return what Prometheus answers; None while it does not."""
        words = ("curl", "--silent", "--fail", "--max-time", "10", *options, f"http://{PROMETHEUS}/api/v1/{path}")
        done = subprocess.run(self.inside(*words), capture_output=True, timeout=20, check=False)
        return json.loads(done.stdout)["data"] if done.returncode == 0 else None

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series of an instant query; fails where Prometheus refuses it."""
        found = self.get("query", "--data-urlencode", f"query={expr}")
        assert found is not None, expr
        series: list[dict[str, Any]] = found["result"]
        return series

    def supply(self, values: dict[str, int]) -> None:
        """Let the UPS say something else."""
        file = self.folder / "ups.json"
        part = file.with_suffix(".new")
        part.write_text(json.dumps(values))
        part.replace(file)


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[AtWork]:
    """Start everything; it ends with the block, and the network with it."""
    province = _province(folder)
    files = render(load(province), KitSettings(watch=WATCH, prometheus=PROMETHEUS, interval=EVERY))
    write(folder / "kit", files, tuple(files))
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", NETWORK]
    unshare = ["setpriv", "--pdeathsig=KILL", *own]
    with contextlib.ExitStack() as ends, subprocess.Popen(unshare) as holder:
        found = AtWork(folder, _child(holder), ends)
        try:
            found.supply(MAINS)
            _start_answers(found)
            found.start(sys.executable, "-m", "cli", "--province", str(province), "watch", PYTHONPATH=str(ROOT))
            found.start("prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder}/data")
            yield found
        finally:
            holder.kill()


def _child(holder: "subprocess.Popen[bytes]") -> int:
    file = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    while True:
        if words := file.read_text().split():
            name = Path(f"/proc/{words[0]}/comm").read_text().strip()
            if name == "sleep":  # the network is made
                return int(words[0])


def _start_answers(found: AtWork) -> None:
    folder = found.folder
    agent = folder / "snmpd.conf"
    agent.write_text(f"rocommunity {COMMUNITY}\nsysName lab\n{pass_persist(folder / 'ups.json')}\n")
    found.start("snmpd", "-f", "-Lo", "-C", "-c", str(agent), "udp:161", SNMP_PERSISTENT_DIR=str(folder))
    _make_disk(found, "full", used=9_500_000, how="rw")
    _make_disk(found, "worn", used=1000, how="ro")
    found.start("prometheus-node-exporter", *(f"--collector.{name}" for name in _COLLECTORS))
    (folder / "snmp.yml").write_text(yaml.safe_dump(SNMP_MODULES))
    found.start("prometheus-snmp-exporter", f"--config.file={folder}/snmp.yml")
    authority = Authority(folder)
    shutil.copy(authority.file, folder / "province" / "ca.pem")
    page = authority.issue("page", ["motcua.good.example"], days=20)
    found.start("openssl", "s_server", "-quiet", "-www", "-accept", "443", "-cert", str(page), "-key", str(page))


def _make_disk(found: AtWork, name: str, *, used: int, how: str) -> None:
    """Mount a disk of twelve megabytes, `used` bytes of which are taken; `how` is "rw" or "ro"."""
    image, place = found.folder / f"{name}.disk", found.folder / name
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(12 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, timeout=30)
    found.do("mount", "-o", "loop", str(image), str(place))
    found.do("sh", "-c", f"head -c {used} /dev/zero >{place}/logs")
    found.do("mount", "-o", f"remount,{how}", str(place))


def _province(folder: Path) -> Path:
    """Make of the good province one whose servers are Linux, with a UPS in its communes, which is pinged often."""
    province = folder / "province"
    shutil.copytree(GOOD, province, ignore=shutil.ignore_patterns(".tuyen"))
    _change(province / "kinds.yaml", "role: server, ", "role: server, platform: linux, ")
    _change(province / "kinds.yaml", "router: {probes: [icmp]}", "router: {probes: [icmp, snmp]}")
    _change(province / "kinds.yaml", "{probes: [icmp, ssh]}", "{probes: [icmp]}")
    _change(province / "kinds.yaml", "ups: {probes: [icmp, snmp]}", "ups: {probes: [icmp, ups]}")
    ups = "      ups: {role: ups, type: draytek-vigor2927, host: 3}\n"
    _change(province / "kinds.yaml", "      pc: {role", f"{ups}      pc: {{role")
    named = "motcua.good.example}}"
    certificate = f"      - {{module: certificate, device: web.centre, with: {{server_name: {named}\n"
    _change(province / "services.yaml", f"{named}\n", f"{named}\n{certificate}")
    often = "".join(
        f"  {name}: {{probe: {probe}, interval: {EVERY} s, timeout: 2 s{more}}}\n"
        for name, probe, more in (
            ("icmp", "icmp", ", with: {wait: 1}"),
            ("ups", "snmp", ", with: {mib: ups, community: {secret: snmp-community}}"),
            ("certificate", "certificate", ""),
        )
    )
    _change(province / "province.yaml", "modules:\n", f"modules:\n{often}")
    (province / ".tuyen").mkdir()
    (province / ".tuyen" / "vault-password").write_text("a password of the test's\n")
    encrypt(province, {"snmp-community": COMMUNITY})
    return province


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, (file, old)
    file.write_text(text.replace(old, new))
