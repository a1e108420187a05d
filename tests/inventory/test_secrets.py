"""Which secrets a province needs: those of what is asked, beside those that it speaks of itself."""

import shutil
from pathlib import Path

import pytest

from inventory.load import load
from inventory.secrets import references, references_of_probes

GOOD = Path(__file__).parents[1] / "provinces" / "good"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The good province without modules of its own, where nothing is asked by SNMP."""
    made = Path(shutil.copytree(GOOD, tmp_path / "good"))
    _change(made / "province.yaml", "modules:\n  snmp:", "#")
    return made


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_built_in_module_needs_its_secret_once_a_device_is_asked_by_it(folder: Path) -> None:
    assert references(load(folder)) == references_of_probes(load(folder)) == ()
    _change(folder / "kinds.yaml", "router: {probes: [icmp]}", "router: {probes: [icmp, interfaces]}")
    assert references(load(folder)) == references_of_probes(load(folder)) == ("snmp-community",)


def test_a_service_needs_the_secret_that_it_names_instead_of_its_modules(folder: Path) -> None:
    asked = "      - {module: snmp, device: web.centre, with: {community: {secret: of-the-centre}}}\n"
    (folder / "services.yaml").write_text((folder / "services.yaml").read_text() + asked)
    assert references_of_probes(load(folder)) == ("of-the-centre",)


def test_what_only_the_province_speaks_of_is_to_be_in_the_vault_but_takes_none_to_ask(folder: Path) -> None:
    spoken = (
        "modules: {old: {probe: snmp, with: {community: {secret: unasked}}}}\n"
        "access: [{user: admin, password: {secret: of-gear}}]\n"
        "variables: [{with: {token: {secret: of-a-job}}}]\n"
    )
    (folder / "province.yaml").write_text((folder / "province.yaml").read_text() + spoken)
    assert references(load(folder)) == ("of-a-job", "of-gear", "unasked")
    assert references_of_probes(load(folder)) == ()
