"""Whether the one-stop agent answers for the right office."""

import json
from collections.abc import Mapping
from typing import Any

from pyinfra.api.facts import FactBase
from pyinfra.context import host

from inventory.language import _
from playbooks.deploying import NotAtTargetError

_SECONDS = 10  # for the agent to start


class Health(FactBase[str]):
    """What the agent says of itself."""

    def command(self) -> str:
        """Return what asks for it."""
        return f"curl -sS --retry {_SECONDS} --retry-delay 1 --retry-connrefused -m 5 http://127.0.0.1:8099/ 2>&1"

    @staticmethod
    def default() -> str:
        """Return what no answer means."""
        return ""


def deploy(values: Mapping[str, Any]) -> None:
    """Ask it."""
    office, said = values["tuyen"]["office"], host.get_fact(Health)
    try:
        answer = json.loads(said)
    except ValueError:
        raise NotAtTargetError(_("the agent does not answer: {said}").format(said=said[:200])) from None
    if (answer.get("status"), answer.get("office")) != ("ok", office):
        raise NotAtTargetError(
            _("the agent answers {answer}, and not for the office '{office}'").format(answer=said[:200], office=office)
        )
