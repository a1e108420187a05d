"""What `tuyen init` makes: the example, or the small province, each with what is its own."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from inventory.load import load
from inventory.secrets import FILE, PASSWORD_VARIABLE, SecretError, open_secrets, references
from inventory.template import EXAMPLE, FolderTakenError, create_province


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_province(tmp_path_factory.mktemp("new") / "small", small=True)


class _Editor(yaml.SafeLoader):
    """Reads as editors do (YAML 1.2): a day is text, as is a time of the day."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def test_the_small_province_has_three_offices_on_three_tiers_and_a_second_uplink(small: Path) -> None:
    province = load(small)
    assert [office.tier for office in province.offices.values()] == ["district", "commune", "province"]
    commune = province.offices["xa-mau"]
    assert commune.uplink
    assert commune.backup
    assert commune.uplink.parent == commune.backup.parent == "huyen-mau"
    assert province.practice  # its addresses are nobody's
    assert province.holidays == load(EXAMPLE).holidays


def test_the_small_province_needs_no_secret_and_says_how_to_have_one(small: Path) -> None:
    assert references(load(small)) == ()
    assert not (small / FILE).exists()
    with pytest.raises(SecretError, match=re.escape(f"--vault-password-file {small}/.tuyen/vault-password ")):
        open_secrets(small)


@pytest.mark.parametrize("kind", ["small", "example"])
def test_editors_accept_what_the_loader_accepts(small: Path, tmp_path: Path, kind: str) -> None:
    folder = small if kind == "small" else create_province(tmp_path / kind)
    checked = 0
    for path in folder.rglob("*.yaml"):
        if named := re.search(r"\$schema=(\S+)", path.read_text(encoding="utf-8")):
            schema: Any = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
            written = yaml.load(path.read_text(encoding="utf-8"), _Editor)
            assert not list(Draft202012Validator(schema).iter_errors(json.loads(json.dumps(written)))), path
            checked += 1
    assert checked >= 8


def test_a_province_comes_into_an_empty_folder_and_into_a_new_git_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    create_province(Path(), small=True)
    assert load(tmp_path / "here").id == load(Path()).id == "tinh-mau"
    assert (tmp_path / "here" / ".gitignore").read_text().endswith(".tuyen/\n")
    with pytest.raises(FolderTakenError):
        create_province(Path(), small=True)


@pytest.mark.parametrize("existed", [True, False])
def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool) -> None:
    folder = tmp_path / "mine"
    if existed:
        folder.mkdir()
    monkeypatch.setattr("inventory.template.encrypt", _refuse)
    with pytest.raises(SecretError):
        create_province(folder)
    assert folder.exists() == existed
    assert not existed or not any(folder.iterdir())


def _refuse(_folder: Path, _values: object) -> None:
    raise SecretError("no")


def test_the_new_password_opens_the_new_secrets_whatever_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, str(tmp_path / "of-another-province"))
    folder = create_province(tmp_path / "mine")
    monkeypatch.delenv(PASSWORD_VARIABLE)
    assert set(open_secrets(folder)) == set(references(load(folder)))
