"""Every rule of the inventory's checks: a stable id, why it matters, how to mend it."""

from typing import NamedTuple

from inventory.language import N_


class Rule(NamedTuple):
    """Two message templates; the finding's values fill the braces."""

    why: str
    fix: str


RULES: dict[str, Rule] = {
    "unknown-key": Rule(N_("no key '{key}' is known in {what}"), N_("write {near}")),
}
