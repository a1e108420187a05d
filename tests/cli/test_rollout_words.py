"""The lines that tell the course of a rollout."""

from datetime import timedelta

import pytest

from cli.rollout_words import course
from playbooks.rollout.journal import Step
from playbooks.rollout.state import Event, Kind, initial
from tests.playbooks.rolled import HANOI, START, plan_of


@pytest.mark.parametrize(
    ("after", "when"),
    [
        (timedelta(), "19:00:00"),
        (timedelta(hours=4, minutes=59, seconds=59), "23:59:59"),
        (timedelta(hours=5), "2026-11-26 00:00:00"),  # midnight on the wall; in UTC it is the same day
        (timedelta(days=9, seconds=1), "2026-12-04 19:00:01"),
    ],
)
def test_a_line_names_the_day_unless_it_is_the_first(after: timedelta, when: str) -> None:
    plan = plan_of()
    event = Event(1, (START + after).isoformat(), Kind.DISPATCHED, "a", details={"step": "apply"})
    assert course(plan, Step(event, initial(plan), initial(plan)), HANOI) == f"{when} a: begun (apply)"
