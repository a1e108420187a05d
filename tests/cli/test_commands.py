"""The commands as a tired person types them: what they print, where they complain, and their exit codes."""

import json
import shutil
import sys
from pathlib import Path
from subprocess import run

import pytest

from tests.conftest import Tuyen

GOOD = Path(__file__).parents[1] / "provinces" / "good"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A small province of one's own, to spoil."""
    return Path(shutil.copytree(GOOD, tmp_path / "good"))


def test_help_names_every_command_and_gives_examples(tuyen: Tuyen) -> None:
    done = tuyen("--help")
    assert done.returncode == 0
    for command in ("init", "inventory", "check", "watch", "lab"):
        assert command in done.stdout
    for words in (("check",), ("watch",), ("init",), ("inventory", "list"), ("lab", "cut")):
        done = tuyen(*words, "--help")
        assert done.returncode == 0
        assert "For example" in done.stdout, words


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, cli.main; print(*sorted(sys.modules))"
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"pydantic", "yaml", "paramiko", "gufo", "cryptography", "starlette", "uvicorn", "openpyxl", "dns", "ssl"}
    assert not heavy & set(done.stdout.split())


def test_a_good_province_has_nothing_to_complain_of(tuyen: Tuyen, kien_giang: Path) -> None:
    done = tuyen("inventory", "check", cwd=kien_giang)
    assert (done.returncode, done.stderr) == (0, "")
    assert "161 units, 208 offices, 2236 devices; nothing to complain of" in done.stdout


def test_the_province_is_found_upward_and_by_option_and_by_variable(tuyen: Tuyen, good: Path, tmp_path: Path) -> None:
    for done in (
        tuyen("inventory", "list", cwd=good / "offices"),
        tuyen("--province", str(good), "inventory", "list", cwd=tmp_path),
        tuyen("inventory", "list", cwd=tmp_path, TUYEN_PROVINCE=str(good)),
    ):
        assert done.returncode == 0, done.stderr
        assert "box.dong-yen" in done.stdout


def test_no_province_is_told_with_what_to_do(tuyen: Tuyen, tmp_path: Path) -> None:
    done = tuyen("inventory", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "no province.yaml" in done.stderr
    assert "tuyen init" in done.stderr
    assert "Traceback" not in done.stderr


def test_findings_come_with_place_reason_and_remedy_and_exit_code_1(tuyen: Tuyen, good: Path) -> None:
    offices = good / "offices" / "an-bien.yaml"
    offices.write_text(offices.read_text().replace("equipped:", "equiped:"))
    done = tuyen("inventory", "check", cwd=good)
    assert done.returncode == 1
    assert done.stdout.startswith("offices/an-bien.yaml:12:5: unknown-key: no key 'equiped' is known")
    assert "'equipped'" in done.stdout
    items = json.loads(tuyen("inventory", "check", "--format", "json", cwd=good).stdout)
    assert items["schema"] == 1
    assert items["items"][0]["rule"] == "unknown-key"
    assert (items["items"][0]["file"], items["items"][0]["line"]) == ("offices/an-bien.yaml", 12)


def test_other_commands_refuse_a_bad_province_with_its_findings(tuyen: Tuyen, good: Path) -> None:
    (good / "kinds.yaml").write_text("roles: {\n")
    for words in (("inventory", "list"), ("check",), ("inventory", "tree"), ("lab", "up"), ("watch", "--once")):
        done = tuyen(*words, cwd=good)
        assert done.returncode == 2, (words, done)
        assert "kinds.yaml:" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inventory", "list", "rol=server"), "'role'"),
        (("inventory", "list", "role=sever"), "'server'"),
        (("inventory", "list", "tier in (commune"), "cannot be read"),
        (("inventory", "show", "dong-yem"), "'dong-yen'"),
        (("inventory", "tree", "--as-of", "2021-13-01"), "no day"),
        (("inventory", "tree", "--under", "an-bein"), "'an-bien'"),
        (("inventory", "lst"), "No such command"),
        (("check", "--format", "xml"), "xml"),
        (("check", "island"), "no device is chosen"),
        (("check", "role=workstation"), "no device is chosen"),
        (("watch", "--listen", "127.0.0.1:99999"), "cannot serve"),
    ],
)
def test_a_mistyped_command_is_told_what_is_right(tuyen: Tuyen, good: Path, words: tuple[str, ...], said: str) -> None:
    done = tuyen(*words, cwd=good)
    assert done.returncode == 2, done
    assert said in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_missing_secrets_are_named_with_what_to_do(tuyen: Tuyen, good: Path) -> None:
    kinds = good / "kinds.yaml"
    kinds.write_text(kinds.read_text().replace("router: {probes: [icmp]}", "router: {probes: [icmp, snmp]}"))
    done = tuyen("check", cwd=good)
    assert done.returncode == 2
    assert "secrets.yaml" in done.stderr
    assert "ansible-vault" in done.stderr


def test_a_wrong_vault_password_is_told_and_no_secret_shown(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not the right one\n")
    done = tuyen("inventory", "check", cwd=kien_giang, TUYEN_VAULT_PASSWORD_FILE=str(wrong))
    assert done.returncode == 2
    assert "ansible-vault" in done.stderr
    assert "not the right one" not in done.stderr + done.stdout


def test_a_secret_that_the_vault_lacks_is_a_finding(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kien_giang, tmp_path / "copy"))
    province = folder / "province.yaml"
    province.write_text(province.read_text().replace("{secret: snmp-community}", "{secret: snmp-comunity}"))
    done = tuyen("inventory", "check", cwd=folder)
    assert done.returncode == 1
    assert "unknown-secret: no secret 'snmp-comunity' is in secrets.yaml" in done.stdout
    assert "'snmp-community'" in done.stdout


def test_init_refuses_a_folder_that_holds_something(tuyen: Tuyen, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = tuyen("init", str(tmp_path))
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_new_province_has_secrets_of_its_own(kien_giang: Path, tuyen: Tuyen, tmp_path: Path) -> None:
    assert tuyen("init", str(tmp_path / "other")).returncode == 0
    names = (".tuyen/vault-password", "secrets.yaml")
    assert all((kien_giang / name).read_text() != (tmp_path / "other" / name).read_text() for name in names)
    assert (tmp_path / "other" / ".tuyen" / "vault-password").stat().st_mode & 0o077 == 0
    assert ".tuyen/" in (tmp_path / "other" / ".gitignore").read_text()


def test_a_small_province_is_checked_and_asked_without_a_vault(tuyen: Tuyen, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    made = tuyen("init", str(folder), "--small")
    assert (made.returncode, made.stderr) == (0, "")
    assert "3 units, 3 offices" in made.stdout
    assert "README.md" in made.stdout
    assert "secrets.yaml" not in made.stdout
    checked = tuyen("inventory", "check", cwd=folder)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "3 offices" in checked.stdout
    assert "is for practice" in tuyen("check", cwd=folder).stderr
    province = folder / "province.yaml"
    province.write_text(province.read_text().replace("practice: true\n", ""))
    asked = tuyen("check", cwd=folder)
    assert asked.returncode == 1  # there is no network
    assert "data-centre" in asked.stdout


def test_a_new_province_is_told_that_the_environment_names_another_password(tuyen: Tuyen, tmp_path: Path) -> None:
    other = str(tmp_path / "of-another")
    made = tuyen("init", str(tmp_path / "small"), "--small", TUYEN_VAULT_PASSWORD_FILE=other)
    assert made.returncode == 0
    assert f"TUYEN_VAULT_PASSWORD_FILE names {other}" in made.stderr


def test_a_lacking_vault_is_noted_with_the_names_that_it_is_to_hold(tuyen: Tuyen, good: Path) -> None:
    done = tuyen("inventory", "check", cwd=good)
    assert done.returncode == 0
    assert "no secrets.yaml" in done.stderr
    assert "snmp-community" in done.stderr


def test_list_gives_a_table_and_stable_json(tuyen: Tuyen, good: Path) -> None:
    table = tuyen("inventory", "list", "role=server,under=an-bien", cwd=good).stdout.splitlines()
    assert table[0].split()[0] == "ID"
    assert [line.split()[0] for line in table[1:]] == [
        "server-1.an-bien",
        "server-2.an-bien",
        "box.dong-yen",
        "box.nam-yen",
    ]
    listed = json.loads(tuyen("inventory", "list", "box.dong-yen", "--format", "json", cwd=good).stdout)
    assert listed["items"][0]["serial"] == "0012345"
    assert listed["items"][0]["mac"] == "00:1d:aa:4b:2c:10"
    offices = json.loads(tuyen("inventory", "list", "--offices", "tier=commune", "--format", "json", cwd=good).stdout)
    assert [item["id"] for item in offices["items"]] == ["dong-yen", "nam-yen"]


def test_the_tree_follows_the_dates(tuyen: Tuyen, kien_giang: Path) -> None:
    before = tuyen("inventory", "tree", "--under", "phu-quoc", cwd=kien_giang).stdout
    after = tuyen("inventory", "tree", "--under", "phu-quoc", "--as-of", "2021-06-01", cwd=kien_giang)
    assert "Thị trấn Dương Đông" in before
    assert "Xã Hòn Thơm" in before
    assert after.returncode == 0
    assert "Thành phố Phú Quốc" in after.stdout
    assert "Phường Dương Đông" in after.stdout
    assert "Hòn Thơm" not in after.stdout


def test_schemas_are_written_and_know_the_provinces_kinds(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    done = tuyen("inventory", "schema", str(tmp_path), cwd=kien_giang)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 9
    offices = json.loads((tmp_path / ".schema" / "offices.json").read_text())
    assert "commune-one-stop" in offices["properties"]["kind"]["examples"]
    assert offices["additionalProperties"] is False


def test_every_file_of_the_example_names_its_schema(kien_giang: Path) -> None:
    for path in kien_giang.rglob("*.yaml"):
        if path.name != "secrets.yaml":
            first = path.read_text().splitlines()[0]
            assert first.startswith("# yaml-language-server: $schema="), path
            assert (path.parent / first.partition("=")[2]).is_file(), path


def test_vietnamese_is_chosen_by_option_and_by_locale(tuyen: Tuyen, tmp_path: Path) -> None:
    english = tuyen("inventory", "check", cwd=tmp_path).stderr
    by_option = tuyen("--lang", "vi", "inventory", "check", cwd=tmp_path).stderr
    by_locale = tuyen("inventory", "check", cwd=tmp_path, LANG="vi_VN.UTF-8").stderr
    assert by_option == by_locale != english
    assert "không" in by_option


def test_output_into_a_closed_pipe_ends_quietly(kien_giang: Path) -> None:
    command = f"'{sys.executable}' -m cli --province '{kien_giang}' inventory list | head -1"
    done = run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("ID")
    assert done.stderr == ""


@pytest.mark.parametrize("words", [("check",), ("watch", "--once")])
def test_a_practice_province_is_never_asked_outside_the_lab(
    tuyen: Tuyen, kien_giang: Path, words: tuple[str, ...]
) -> None:
    done = tuyen(*words, cwd=kien_giang)
    assert done.returncode == 2
    assert "for practice" in done.stderr
    assert "tuyen lab run" in done.stderr
    assert "practice: true" in done.stderr


def test_a_locale_that_the_machine_lacks_hinders_nothing(tuyen: Tuyen, kien_giang: Path) -> None:
    done = tuyen("inventory", "check", cwd=kien_giang, LANG="vi_VN.UTF-8", LC_ALL="vi_VN.UTF-8")
    assert done.returncode == 0, done.stderr
    assert "161" in done.stdout
