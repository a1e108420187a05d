"""The lab's package repository, asked by a real apt with folders of its own, over nginx on loopback."""

import hashlib
import re
import stat
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.images import provide, read_file
from lab.machine import environment
from lab.packages import PACKAGES, build_package, debian
from lab.packages.command import RepositoryError
from lab.repository import CERTIFICATE, LOG, build_repository, offer, offered, start_repository
from lab.sources import architecture, suite
from tests.exporters.daemons import HERE, free_port

SUITES = ("province", "security", suite())


class Client:
    """An apt that knows our repository only, and keeps everything below a folder of its own."""

    def __init__(self, folder: Path, server: str, key: Path, status: str = "") -> None:
        self._folder, self._server = folder, server
        for name in ("lists/partial", "archives/partial", "parts"):
            (folder / name).mkdir(parents=True)
        (folder / "status").write_text(status)
        sources = [f"deb [signed-by={key}] {server} {suite} main\n" for suite in SUITES]
        (folder / "sources.list").write_text("".join(sources))

    def apt(self, *command: str) -> "subprocess.CompletedProcess[str]":
        folders = {
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "true",
            "Dir::Cache": f"{self._folder}",
            "Dir::Cache::archives": f"{self._folder}/archives/",
            "Dir::Etc::parts": f"{self._folder}/parts",
            "Dir::Etc::sourcelist": f"{self._folder}/sources.list",
            "Dir::Etc::sourceparts": f"{self._folder}/parts",
            "Dir::State::extended_states": f"{self._folder}/extended",
            "Dir::State::lists": f"{self._folder}/lists/",
            "Dir::State::status": f"{self._folder}/status",
        }
        options = [word for name, value in folders.items() for word in ("-o", f"{name}={value}")]
        environs = {**environment(), "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [*command[:1], *options, *command[1:]],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environs,
        )

    def update(self) -> str:
        done = self.apt("apt-get", "update")
        assert done.returncode == 0, done.stderr
        assert "W:" not in done.stderr, done.stderr
        return done.stdout

    def versions(self, package: str) -> list[str]:
        """The versions on offer, newest first."""
        told = self.apt("apt-cache", "madison", package).stdout
        return re.findall(rf"^ *{package} \| +(\S+) \|", told, re.MULTILINE)


class Served:
    """The repository that serves, at `url`, from `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://{HERE}:{port}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes, str]:
        """The status, the body and the time of last change of what lies at `path`."""
        asked = urllib.request.Request(
            f"{self.url}/{path}", headers={n.replace("_", "-"): v for n, v in headers.items()}
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.read(), answer.headers["Last-Modified"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), ""


@pytest.fixture(scope="module")
def status(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dpkg of a server machine says is installed."""
    file: Path = tmp_path_factory.mktemp("image") / "status"
    file.write_bytes(read_file(provide("server"), "var/lib/dpkg/status"))
    return file


@pytest.fixture(scope="module")
def repository(status: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("repository") / ("long" * 30), free_port()
    build_repository(folder, status)
    server = start_repository(folder, HERE, port)
    yield Served(folder, port)
    server.terminate()
    server.wait(10)


@pytest.fixture
def served(repository: Served) -> Served:
    offer(repository.folder, "one-stop-agent", "1.0")
    offer(repository.folder, "lab-library", "1.0")
    return repository


@pytest.fixture
def client(served: Served, tmp_path: Path) -> Client:
    return Client(tmp_path / "client", served.url, served.folder / "public" / CERTIFICATE)


def test_versions_come_and_go_as_they_are_offered(served: Served, client: Client) -> None:
    client.update()
    assert client.versions("one-stop-agent") == ["1.0"]
    for version, seen in (("2.0", ["2.0", "1.0"]), ("3.0", ["3.0", "2.0", "1.0"]), ("1.0", ["1.0"])):
        offer(served.folder, "one-stop-agent", version)
        assert offered(served.folder)["one-stop-agent"] == version
        client.update()
        assert client.versions("one-stop-agent") == seen


def test_only_the_suite_that_changed_is_fetched_again(served: Served, client: Client) -> None:
    client.update()
    assert client.versions("lab-library") == ["1.0"]
    offer(served.folder, "lab-library", "1.1")
    told = client.update()
    assert [line.split()[2] for line in told.splitlines() if line.startswith("Hit:")] == ["province", suite()]
    assert client.versions("lab-library") == ["1.1", "1.0"]
    candidate = client.apt("apt-cache", "policy", "lab-library").stdout
    assert re.search(r"500 http://\S+ security/main", candidate.split("1.0 ")[0]), candidate


def test_a_repository_signed_by_another_key_is_refused(served: Served, status: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    build_repository(other, status)
    client = Client(tmp_path / "client", served.url, other / "public" / CERTIFICATE)
    refused = client.apt("apt-get", "update")
    assert refused.returncode == 100
    assert "NO_PUBKEY" in refused.stderr or "not signed" in refused.stderr
    assert client.versions("one-stop-agent") == []


def test_what_jobs_install_is_there_with_all_it_needs(served: Served, status: Path, tmp_path: Path) -> None:
    key = served.folder / "public" / CERTIFICATE
    client = Client(tmp_path / "client", served.url, key, status.read_text())
    client.update()
    fetched = client.apt("apt-get", "-y", "--no-install-recommends", "--download-only", "install", *debian.PACKAGES)
    assert fetched.returncode == 0, fetched.stderr
    got, kept = tmp_path / "client" / "archives", served.folder / "public" / debian.POOL
    assert {file.name for file in got.glob("*.deb")} == {file.name for file in kept.glob("*.deb")}
    assert {file.name.split("_")[0] for file in kept.glob("*.deb")} > set(debian.PACKAGES)


def test_a_download_goes_on_where_it_broke_off(served: Served) -> None:
    path = f"pool/lab/{PACKAGES[0].file}"
    whole = served.get(path)[1]
    status, rest, _changed = served.get(path, Range="bytes=100000-")
    assert (status, rest) == (206, whole[100000:])
    assert 400_000 < len(whole) < 450_000


def test_every_state_has_times_of_its_own(served: Served) -> None:
    seen = []
    for version in ("2.0", "1.0", "2.0"):
        offer(served.folder, "one-stop-agent", version)
        status, _text, changed = served.get("dists/province/InRelease")
        assert status == 200
        assert served.get("dists/province/InRelease", If_Modified_Since=changed)[0] == 304
        seen.append(changed)
    assert len(set(seen)) == 3


def test_a_client_in_the_middle_of_an_update_still_finds_the_old_index(served: Served) -> None:
    base = f"dists/province/main/binary-{architecture()}"
    old = served.get(f"{base}/Packages.gz")[1]
    offer(served.folder, "one-stop-agent", "2.0")
    digest = hashlib.sha256(old).hexdigest()
    assert served.get(f"{base}/Packages.gz")[1] != old
    assert served.get(f"{base}/by-hash/SHA256/{digest}")[:2] == (200, old)


def test_the_private_key_is_ours_alone(served: Served) -> None:
    key = served.folder / "signing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert served.get("signing.key")[0] == 404
    assert served.get("../signing.key")[0] in (400, 404)
    assert b"PRIVATE" not in served.get(CERTIFICATE)[1]


def test_packages_come_out_the_same_each_time(tmp_path: Path) -> None:
    for package in PACKAGES:
        first, second = (build_package(package, tmp_path / name).read_bytes() for name in ("first", "second"))
        assert first == second


def test_requests_are_written_down(served: Served) -> None:
    served.get("dists/security/InRelease")
    assert "GET /dists/security/InRelease" in (served.folder / LOG).read_text()


def test_a_version_that_nobody_made_is_refused(served: Served) -> None:
    with pytest.raises(RepositoryError, match=r"no one-stop-agent 2\.1; write '2\.0'"):
        offer(served.folder, "one-stop-agent", "2.1")
    with pytest.raises(RepositoryError, match=r"no one-stop-agnt 1\.0; write 'one-stop-agent'"):
        offer(served.folder, "one-stop-agnt", "1.0")


def test_an_address_that_is_not_ours_is_told(served: Served, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"is not served: .*192\.0\.2\.1:80"):
        start_repository(tmp_path, "192.0.2.1", 80)
