"""Notices of a rollout reach everybody in their own language, whatever the controller that drives it speaks."""

from http.server import HTTPServer
from pathlib import Path
from shutil import copytree

import pytest

from cli.rollout_notices import TITLES, RolloutNotices, addresses_by_language
from inventory.finding import Place
from inventory.language import in_language, speaking
from inventory.load import load
from inventory.model import Person
from playbooks.rollout.plan import Wave
from tests.exporters.test_notify import Hook, serving
from tests.playbooks.rolling import plan_of_waves, simulation

GOOD = Path(__file__).parents[1] / "provinces" / "good"


def person(language: str, *notify: str) -> Person:
    return Person("a", "a", ("operator",), "centre", (), notify, Place("people.yaml"), language=language)


def test_people_and_their_addresses_say_the_language_else_it_is_vietnamese() -> None:
    told = [
        person("", "json://a", "json://b?lang=en"),
        person("en", "json://c", "json://a", "json://d?lang=vi"),
    ]
    assert addresses_by_language(told) == {
        "vi": ("json://a", "json://d?lang=vi"),
        "en": ("json://b?lang=en", "json://c"),
    }
    assert addresses_by_language([]) == {}


@pytest.mark.parametrize("controller", ["en", "vi"])
def test_everybody_is_told_in_their_own_language(tmp_path: Path, controller: str) -> None:
    folder = Path(copytree(GOOD, tmp_path / "good"))
    plan = plan_of_waves(1, waves=(Wave("canary", ("box.dong-yen",)),))
    with HTTPServer(("127.0.0.1", 0), Hook) as server, serving(server) as port:
        (folder / "people.yaml").write_text(
            "people:\n"
            f"  chi: {{name: Chi, roles: [operator], under: centre, notify: ['json://127.0.0.1:{port}/chi']}}\n"
            f"  tom: {{name: Tom, roles: [operator], under: centre, language: en, "
            f"notify: ['json://127.0.0.1:{port}/tom']}}\n"
        )
        province = load(folder)
        with speaking(controller), simulation(tmp_path, plan) as made, RolloutNotices(province, plan) as notices:
            made.run()
            for notice in made.notices:
                notices.tell(notice)
        heard = [(told["title"], told["message"]) for told in server.heard]  # type: ignore[attr-defined]
    assert heard == [
        (
            in_language(TITLES["ended"], language).format(province=province.name, rollout="agent-2"),
            in_language("ended: {counts}", language).format(counts=f"1 {in_language('done', language)}"),
        )
        for language in ("vi", "en")
    ]
    assert heard[0] != heard[1]
