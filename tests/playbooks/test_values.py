"""Variables and ways to log in: from the inventory's rules to what a driver is given."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.load import load
from inventory.model import Province
from playbooks.access import Access, check_authority
from playbooks.catalogue import all_jobs, find_job
from playbooks.errors import AccessError, InvalidJobError, UnknownJobError, VariableError
from playbooks.job import Job
from playbooks.variables import check_names, read_sets, secret_names, values_of

GOOD = Path(__file__).parents[1] / "provinces" / "good"
JOB = """
about: {en: Tests.}
driver: pyinfra
fits: role=server
variables:
  port: {type: integer, about: Where it listens., default: '8099'}
  wanted: {type: boolean, about: Whether., default: 'no'}
  sources: {type: list, about: Who may come.}
  servers: {type: addresses, about: The servers., select: role=server}
  url: {about: Where to., required: true}
  token: {about: What opens it.}
"""
SETTINGS = """
access:
  - {user: tuyen}
  - {select: under=an-bien, password: {secret: gear}}
  - {select: dong-yen, port: 2222}
variables:
  - with: {url: 'https://one/', token: {secret: token}}
  - {select: dong-yen, with: {url: 'https://two/'}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(shutil.copytree(GOOD, tmp_path / "province"))
    with (made / "province.yaml").open("a") as file:
        file.write(SETTINGS)
    (made / "jobs" / "agent").mkdir(parents=True)
    (made / "jobs" / "agent" / "job.yaml").write_text(JOB)
    (made / "jobs" / "agent" / "apply.py").write_text("def deploy(values): pass\n")
    return made


@pytest.fixture
def province(folder: Path) -> Province:
    return load(folder)


@pytest.fixture
def job(folder: Path) -> Job:
    return find_job(folder, "agent")


def test_values_come_from_sets_then_later_rules_then_defaults(province: Province, job: Job) -> None:
    devices = [province.devices["box.dong-yen"], province.devices["box.nam-yen"]]
    values = values_of(province, job, devices, read_sets(["port=99", "sources=[10.91.0.0/24]"]))
    assert values["box.dong-yen"]["url"] == "https://two/"
    assert values["box.nam-yen"]["url"] == "https://one/"
    expected = {"port": 99, "wanted": False, "sources": ["10.91.0.0/24"], "token": {"secret": "token"}}
    assert {name: values["box.nam-yen"][name] for name in expected} == expected
    assert province.devices["web.centre"].address in values["box.nam-yen"]["servers"]


def test_a_secret_stays_a_name_until_the_target_is_made(province: Province, job: Job) -> None:
    box = province.devices["box.dong-yen"]
    values = values_of(province, job, [box], {})
    assert set(secret_names(values)) == {"token"}
    assert "s3cret" not in repr(values)
    access = Access(province, "lan", {"token": "s3cret-token", "gear": "s3cret-gear"})
    [target] = access.targets([box], values)
    assert target.variables["token"] == "s3cret-token"
    assert target.login.password == "s3cret-gear"
    assert "s3cret" not in repr(target)


def test_a_login_is_what_the_rules_say_last(province: Province, job: Job) -> None:
    devices = [province.devices["box.dong-yen"], province.devices["web.centre"]]
    access = Access(province, "lan", {"token": "t", "gear": "g"})
    box, web = access.targets(devices, values_of(province, job, devices, {}))
    assert (box.login.user, box.login.port, box.login.password) == ("tuyen", 2222, "g")
    assert (web.login.user, web.login.port, web.login.password) == ("tuyen", 22, "")


def test_the_passwords_of_the_whole_way_are_known_before_the_vault_is_opened(province: Province) -> None:
    office = replace(province.offices["centre"], labels={"jump": "server-1.an-bien"})
    province = replace(province, offices={**province.offices, "centre": office})
    access = Access(province, "lan", {})
    assert access.passwords([province.devices["box.dong-yen"]]) == {"gear"}
    assert access.passwords([province.devices["web.centre"]]) == {"gear"}  # its jump host's
    assert Access(replace(province, access=()), "lan", {}).passwords([province.devices["web.centre"]]) == set()


def test_what_the_inventory_knows_goes_along(province: Province, job: Job) -> None:
    box = province.devices["box.dong-yen"]
    [target] = Access(province, "lan", {"token": "t", "gear": "g"}).targets([box], values_of(province, job, [box], {}))
    known = target.variables["tuyen"]
    assert known["gateway_address"] == province.devices["router.dong-yen"].address
    assert known["prefix"] == province.offices["dong-yen"].prefix
    assert [person["account"] for person in known["people"]] == ["lan"]


def test_jump_hosts_are_logged_in_to_by_their_own_rules(province: Province, job: Job) -> None:
    office = replace(province.offices["dong-yen"], labels={"jump": "server-1.an-bien"})
    province = replace(province, offices={**province.offices, "dong-yen": office})
    box = province.devices["box.dong-yen"]
    [target] = Access(province, "lan", {"token": "t", "gear": "g"}).targets([box], {})
    assert [(hop.device, hop.port) for hop in target.jumps] == [("server-1.an-bien", 22)]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["prot=1"], "the job 'agent' has no variable 'prot'; write 'port' (the nearest that exists)"),
        (["port=many"], "the variable 'port' is 'many', which is no integer"),
        (["wanted=perhaps"], "the variable 'wanted' is 'perhaps', which is no boolean"),
        (["sources=one"], "the variable 'sources' is 'one', which is no list"),
        (["port"], "--set 'port' cannot be read: there is no '='; write name=value"),
    ],
)
def test_a_wrong_value_is_told(province: Province, job: Job, sets: list[str], message: str) -> None:
    with pytest.raises(VariableError) as error:
        values_of(province, job, [province.devices["box.dong-yen"]], read_sets(sets))
    assert str(error.value) == message


def test_a_value_may_be_the_text_of_a_file(province: Province, job: Job, folder: Path) -> None:
    (folder / "key.asc").write_text("-----BEGIN\n")
    box = province.devices["box.dong-yen"]
    assert values_of(province, job, [box], read_sets(["token={file: key.asc}"]))[box.id]["token"] == "-----BEGIN\n"
    with pytest.raises(VariableError, match=r"'token' wants the file .*/none\.asc, which cannot be read: No such file"):
        values_of(province, job, [box], read_sets(["token={file: none.asc}"]))


def test_a_missing_value_names_itself(province: Province, job: Job) -> None:
    province = replace(province, variables=())
    with pytest.raises(VariableError, match=r"'box.dong-yen' has no value for 'url', which the job 'agent' needs"):
        values_of(province, job, [province.devices["box.dong-yen"]], {})


def test_a_missing_secret_names_itself(province: Province, job: Job) -> None:
    box = province.devices["box.dong-yen"]
    values = values_of(province, job, [box], {})
    with pytest.raises(VariableError, match="there is no secret 'token'"):
        Access(province, "lan", {"gear": "g"}).targets([box], values)


def test_a_missing_key_is_told_before_anything_is_tried(province: Province) -> None:
    rule = replace(province.access[0], key=".tuyen/none")
    province = replace(province, access=(rule,))
    with pytest.raises(AccessError, match=r"the private key .*/\.tuyen/none cannot be read"):
        Access(province, "lan", {}).targets([province.devices["web.centre"]], {})


def test_people_act_within_their_subtree(province: Province) -> None:
    lan = replace(province.people["lan"], under="an-bien")
    province = replace(province, people={"lan": lan, "thu": replace(lan, account="thu", roles=("viewer",))})
    check_authority(province, "lan", [province.devices["box.dong-yen"]])
    with pytest.raises(AccessError, match=r"'lan' may act under 'an-bien' only; outside of it: web\.centre"):
        check_authority(province, "lan", [province.devices["web.centre"]])
    with pytest.raises(AccessError, match="'thu' is no operator"):
        check_authority(province, "thu", [])
    with pytest.raises(AccessError, match=r"'root' is not in people\.yaml"):
        check_authority(province, "root", [])


def test_a_variable_of_no_job_is_told(province: Province, folder: Path) -> None:
    jobs, findings = all_jobs(folder)
    assert not findings
    assert not list(check_names(province, jobs))
    wrong = replace(province.variables[0], values={"ulr": "x"})
    [found] = check_names(replace(province, variables=(wrong,)), {"agent": jobs["agent"]})
    assert str(found) == (
        "province.yaml:16:5: unknown-variable: no job has a variable 'ulr'; write 'url' (the nearest that exists)"
    )


def test_a_wrong_job_is_told_with_its_line(folder: Path) -> None:
    (folder / "jobs" / "agent" / "job.yaml").write_text(JOB.replace("driver: pyinfra", "driver: pyinfar"))
    with pytest.raises(InvalidJobError) as error:
        find_job(folder, "agent")
    assert str(error.value) == (
        "agent/job.yaml:3:1: unknown-value: driver is 'pyinfar', which is not known; write 'pyinfra' "
        "(the nearest that exists)"
    )
    with pytest.raises(UnknownJobError, match="no job is called 'agnet'; write 'agent'"):
        find_job(folder, "agnet")


def test_a_risky_job_that_puts_nothing_back_is_refused(folder: Path) -> None:
    (folder / "jobs" / "agent" / "job.yaml").write_text(JOB + "risk: cut-off\nrevert: {after: 60 s}\n")
    with pytest.raises(InvalidJobError) as error:
        find_job(folder, "agent")
    assert str(error.value) == (
        "agent/job.yaml:1:1: nothing-to-revert: a job whose risk is cut-off says under 'revert' what the device puts "
        "back by itself, and this one does not; name under it 'paths' (files and folders, such as /etc/ssh), "
        "'commands', or both"
    )


def test_the_digest_of_a_job_covers_all_its_files(folder: Path, job: Job) -> None:
    (folder / "jobs" / "agent" / "apply.py").write_text("def deploy(values): return\n")
    assert find_job(folder, "agent").digest != job.digest
