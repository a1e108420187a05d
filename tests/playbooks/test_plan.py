"""Plans are values with an address of their own; masks hide what must not be seen."""

import base64
import json
import shlex
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.checking import moved, unforeseen
from playbooks.errors import PlanError
from playbooks.event import Change, Doing, Done, Note, Outcome
from playbooks.mask import HIDDEN, Mask
from playbooks.plan import DevicePlan, Plan, State, digest, plan_device, read_plan, write_plan

CHANGES = st.builds(Change, st.just("box.a"), st.text(), st.text(), st.booleans())
DEVICES = st.builds(
    DevicePlan,
    device=st.sampled_from(["box.a", "box.b"]),
    state=st.sampled_from(State),
    values=st.text(max_size=8),
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    notes=st.lists(st.text(), max_size=2).map(tuple),
    reason=st.text(),
)


def plan_of(*devices: DevicePlan) -> Plan:
    return Plan("baseline", "d1", "good", "role=server", {"port": "1"}, "lan", "2026-11-25T22:00:00+00:00", devices)


@given(devices=st.lists(DEVICES, max_size=3))
def test_a_plan_comes_back_as_it_was_written(
    devices: list[DevicePlan], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    plan = plan_of(*devices)
    write_plan(plan, path)
    assert read_plan(path) == plan
    assert read_plan(path).digest == plan.digest


def test_a_changed_or_broken_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(plan_of(DevicePlan("box.a", State.CHANGE, "v", (Change("box.a", "open port 22"),))), path)
    whole = path.read_text()
    path.write_text(whole.replace("open port 22", "open port 23"))
    with pytest.raises(PlanError, match="it was changed after it was made"):
        read_plan(path)
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(PlanError, match="it is no whole plan"):
        read_plan(path)
    path.write_text(json.dumps(["no", "plan"]))
    with pytest.raises(PlanError, match="it is no whole plan"):
        read_plan(path)
    with pytest.raises(PlanError, match="No such file"):
        read_plan(tmp_path / "none.json")


def test_the_events_of_a_check_become_a_state() -> None:
    change = Change("box.a", "write /etc/motd", "+hello")
    doing, done = Doing("box.a", "asking"), Done("box.a", Outcome.DONE)
    assert plan_device("box.a", "v", [doing, done]).state is State.AT_TARGET
    planned = plan_device("box.a", "v", [doing, change, Note("box.a", "no audit here"), done])
    assert (planned.state, planned.changes, planned.notes) == (State.CHANGE, (change,), ("no audit here",))
    lost = plan_device("box.a", "v", [change, Done("box.a", Outcome.UNREACHABLE, "gone")])
    assert (lost.state, lost.reason) == (State.UNREACHABLE, "gone")
    assert plan_device("box.a", "v", [doing]).state is State.FAILED


def test_a_device_that_moved_is_told_and_one_at_its_target_is_not() -> None:
    before = DevicePlan("box.a", State.CHANGE, "v", (Change("box.a", "one"),))
    assert not moved([before], [before])
    assert not moved([before], [DevicePlan("box.a", State.AT_TARGET, "v")])
    assert set(moved([before], [DevicePlan("box.a", State.CHANGE, "v", (Change("box.a", "two"),))])) == {"box.a"}
    assert set(moved([before], [DevicePlan("box.a", State.CHANGE, "other", before.changes)])) == {"box.a"}


def test_what_was_changed_beyond_the_plan_is_told() -> None:
    planned = DevicePlan("box.a", State.CHANGE, "v", (Change("box.a", "one"),))
    surprise = Change("box.a", "two")
    assert unforeseen(planned, [Change("box.a", "one", "+x"), surprise, Done("box.a", Outcome.DONE)]) == (surprise,)


def test_an_address_is_the_same_in_any_order_and_in_every_version() -> None:
    address = "013fe3405f4d44b453672abb61b9a112ff1180e05c32386c1ab1b55dac2b2ccd"  # rollouts are kept under such
    assert digest({"b": "ổ", "a": [1]}) == digest({"a": [1], "b": "ổ"}) == address


def test_a_mask_hides_each_secret_in_every_form() -> None:
    mask = Mask(['pass"word\\1', "longer-pass", "pass"])
    text = 'a pass"word\\1 b ' + json.dumps({"key": 'pass"word\\1'}) + " longer-pass"
    assert mask(text) == f'a {HIDDEN} b {{"key": "{HIDDEN}"}} {HIDDEN}'
    difficult = "it's a \"\\ secret"
    quoted = [shlex.quote(difficult), repr(difficult), json.dumps(difficult), urllib.parse.quote(difficult, safe="")]
    for form in [*quoted, base64.b64encode(difficult.encode()).decode(), "x='it''s a \"\\ secret'"]:
        assert "secret" not in Mask([difficult])(form), form
        assert HIDDEN in Mask([difficult])(form), form
    assert Mask(["first line\nsecond line\n"])("+first line\n+second line") == f"+{HIDDEN}\n+{HIDDEN}"
    assert Mask([])("nothing to hide") == "nothing to hide"
    assert Mask(["ab", "abc", ""])("abc cabbage") == "abc cabbage"
    assert Mask(["abcd"])("abcd") == HIDDEN
