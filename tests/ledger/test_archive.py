"""An archive is whole, or refused; nothing in it leads anywhere but into its folder."""

import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from ledger.archive import MANIFEST, Manifest, Source, read, write
from ledger.backup import copy
from ledger.connection import open_ledger
from ledger.errors import BadBackupError
from tests.ledger.conftest import begin

ABOUT = Manifest("kien-giang", "2026-11-25T00:00:00.000000Z", "0.1.0", "sqlite", "0001", 0, "0" * 64, 0)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """An archive of a ledger's copy, of noise, of an empty file, and of one in a folder."""
    (tmp_path / "noise").write_bytes(random.Random(7).randbytes(100_000))
    (tmp_path / "empty").touch()
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        begin(ledger)
        copy(ledger, tmp_path / "copy")
    sources = [Source("ledger", tmp_path / "copy"), Source("state/noise", tmp_path / "noise")]
    sources += [Source("state/a/b/empty", tmp_path / "empty"), Source("state/gone", tmp_path / "gone")]
    target = tmp_path / "saved.tuyen-state"
    assert [entry.name for entry in write(target, sources, ABOUT).entries] == [
        "ledger",
        "state/noise",
        "state/a/b/empty",
    ]
    return target


def test_what_is_saved_comes_back(saved: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    manifest = read(saved, into=into)
    assert (into / "state/noise").read_bytes() == (tmp_path / "noise").read_bytes()
    assert (into / "ledger").read_bytes() == (tmp_path / "copy").read_bytes()
    assert (into / "state/a/b/empty").read_bytes() == b""
    assert {path.stat().st_mode & 0o007 for path in into.rglob("*") if path.is_file()} == {0}
    assert manifest.province == "kien-giang"
    assert saved.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_every_flipped_byte_and_every_cut_is_noticed(saved: Path, tmp_path: Path) -> None:
    whole, manifest, chance = saved.read_bytes(), read(saved), random.Random(5)
    bad = tmp_path / "bad"
    places = [*range(20), *chance.sample(range(len(whole)), 150), *range(len(whole) - 12, len(whole))]
    noticed = 0
    for place in places:
        altered = bytearray(whole)
        altered[place] ^= 1 << chance.randrange(8)
        bad.write_bytes(altered)
        with suppress(BadBackupError):
            assert read(bad) == manifest, place  # two ways to pack the same bytes
            noticed -= 1
        noticed += 1
    assert noticed >= len(places) - 2
    for length in (0, 1, 10, 11, 1000, *chance.sample(range(len(whole)), 60), len(whole) - 8, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(BadBackupError, match=r"was cut short|is damaged|is no backup"):
            read(bad)


def test_a_sealed_archive_opens_by_its_passphrase_only(saved: Path, tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    manifest = write(sealed, [Source("state/noise", tmp_path / "noise")], ABOUT, b"correct horse")
    assert read(sealed, b"correct horse") == manifest
    assert b"noise" not in sealed.read_bytes()
    with pytest.raises(
        BadBackupError, match="the passphrase is not the one it was sealed with, or the file is damaged"
    ):
        read(sealed, b"correct mule")
    with pytest.raises(BadBackupError, match="is sealed; name the file with its passphrase"):
        read(sealed)
    whole, bad = sealed.read_bytes(), tmp_path / "bad"
    for place in (20, 40, len(whole) // 2, len(whole) - 1):
        altered = bytearray(whole)
        altered[place] ^= 1
        bad.write_bytes(altered)
        with pytest.raises(BadBackupError, match="or the file is damaged"):
            read(bad, b"correct horse")
    for length in (16, 40, 32 + 65552, len(whole) - 1):  # also between two chunks
        bad.write_bytes(whole[:length])
        with pytest.raises(BadBackupError, match=r"was cut short|is damaged"):
            read(bad, b"correct horse")


def test_many_sealed_chunks_come_back_and_in_their_order_only(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(random.Random(7).randbytes(400_000))
    sealed, bad, into = (tmp_path / name for name in ("sealed", "bad", "into"))
    manifest = write(sealed, [Source("noise", tmp_path / "noise")], ABOUT, b"correct horse")
    into.mkdir()
    assert read(sealed, b"correct horse", into=into) == manifest
    assert (into / "noise").read_bytes() == (tmp_path / "noise").read_bytes()
    whole = sealed.read_bytes()
    head, first, second, rest = whole[:32], whole[32:65_584], whole[65_584:131_136], whole[131_136:]
    for altered in (head + second + first + rest, head + first + rest, head + first + first + second + rest):
        bad.write_bytes(altered)
        with pytest.raises(BadBackupError, match="or the file is damaged"):
            read(bad, b"correct horse")


def _hostile(folder: Path, name: str, kind: bytes = tarfile.REGTYPE, manifest: bytes = b"") -> Path:
    """Return an archive with a member of that name, "hi" if it is a file, and perhaps a manifest."""
    file, raw = folder / "hostile", io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for called, type_, content in ((name, kind, b"hi"), (MANIFEST, tarfile.REGTYPE, manifest)):
            if called != MANIFEST or manifest or name == MANIFEST:
                member = tarfile.TarInfo(called)
                member.type, member.linkname = type_, "/etc/shadow"
                member.size = len(content) if type_ == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(content))
    with file.open("wb") as opened, gzip.GzipFile("", "wb", 6, opened, mtime=0) as packed:
        packed.write(raw.getvalue())
    return file


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("state/../../outside", tarfile.REGTYPE),
        ("state//x", tarfile.REGTYPE),
        (".", tarfile.REGTYPE),
        ("state/link", tarfile.SYMTYPE),
        ("state/link", tarfile.LNKTYPE),
        ("state/device", tarfile.CHRTYPE),
        ("state/pipe", tarfile.FIFOTYPE),
        ("state", tarfile.DIRTYPE),
    ],
)
def test_what_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(BadBackupError, match="holds what no backup of tuyen holds"):
        read(_hostile(tmp_path, name, kind), into=into)
    assert list(into.iterdir()) == []
    assert not (tmp_path / "outside").exists()
    assert not Path("/tmp/outside").exists()


def test_an_archive_without_its_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBackupError, match="was cut short"):
        read(_hostile(tmp_path, "state/x"))
    with pytest.raises(BadBackupError, match="is damaged"):
        read(_hostile(tmp_path, MANIFEST))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sha256": "0" * 64}, "state/x"),
        ({"size": 3}, "state/x"),
        ({"mode": 0o777}, "state/x"),
        ({"name": "state/y"}, "state/x, state/y"),
    ],
)
def test_a_file_that_the_manifest_does_not_know_is_told(tmp_path: Path, change: dict[str, object], named: str) -> None:
    known = {"name": "state/x", "size": 2, "sha256": hashlib.sha256(b"hi").hexdigest(), "mode": 0o644}
    for entry, refused in ((known, False), (known | change, True)):
        told = asdict(ABOUT) | {"entries": [entry]}
        archive = _hostile(tmp_path, "state/x", manifest=json.dumps(told).encode())
        if refused:
            with pytest.raises(BadBackupError, match=f"does not hold what was saved: {named}$"):
                read(archive)
        else:
            read(archive)


def test_another_form_of_archive_is_left_to_who_knows_it(tmp_path: Path) -> None:
    told = asdict(ABOUT) | {"format": 2, "tuyen": "9.1"}
    archive = _hostile(tmp_path, "state/x", manifest=json.dumps(told).encode())
    with pytest.raises(BadBackupError, match=r"was written by another tuyen \(9\.1\), in a form that this one cannot"):
        read(archive)


def test_nothing_is_written_over_another_file(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(BadBackupError, match="exists already; nothing is written over it"):
        write(saved, [], ABOUT)
    assert saved.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_leaves_no_file_and_what_was_there(tmp_path: Path, saved: Path) -> None:
    (tmp_path / "large").write_bytes(random.Random(3).randbytes(3 << 20))
    script = (
        "from pathlib import Path; from ledger.archive import *; from tests.ledger.test_archive import ABOUT\n"
        "Path('small/before').write_text('there')\n"
        "try: write(Path('small/new'), [Source('state/large', Path('large'))], ABOUT)\n"
        "except OSError as error: print(error.strerror)\n"
        "print(sorted(path.name for path in Path('small').iterdir()))"
    )
    (tmp_path / "small").mkdir()
    mounted = 'mount -t tmpfs -o size=1m tmpfs small && exec "$0" -c "$1"'
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    said = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, sys.executable, script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.splitlines() == ["No space left on device", "['before']"]


@pytest.mark.parametrize("turn", range(8))
def test_a_kill_at_any_moment_leaves_a_whole_archive_or_none(tmp_path: Path, turn: int) -> None:
    (tmp_path / "large").write_bytes(random.Random(turn).randbytes(4 << 20))
    script = (
        "from pathlib import Path; from ledger.archive import *; from tests.ledger.test_archive import ABOUT\n"
        "print('ready', flush=True)\n"
        "write(Path('new'), [Source('state/large', Path('large'))], ABOUT)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.04 * turn)
        process.kill()
    if (tmp_path / "new").exists():
        read(tmp_path / "new")
    else:
        write(tmp_path / "new", [Source("state/large", tmp_path / "large")], ABOUT)  # what was left hinders nobody
        assert not (tmp_path / ".new.part").exists()
