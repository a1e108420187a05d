"""Which troubles mute which others: the rules that Alertmanager gets, followed here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from exporters.alerts.trouble import Trouble

_MATCHER = re.compile(r'(\w+)(=~|=)"(.*)"')
Rule = Mapping[str, Any]  # as alertmanager.yml has it


def inhibited(troubles: Iterable[Trouble], rules: Sequence[Rule]) -> tuple[Trouble, ...]:
    """Return the troubles, those muted that follow from another one by a rule."""
    known = tuple(troubles)
    muted = {id(target) for rule in rules for target in _targets(known, rule)}
    return tuple(replace(one, muted=True) if id(one) in muted else one for one in known)


def _targets(troubles: Sequence[Trouble], rule: Rule) -> Iterable[Trouble]:
    equal = rule.get("equal", ())
    sources = {_values(one, equal) for one in troubles if _matches(one, rule["source_matchers"])}
    return (one for one in troubles if _matches(one, rule["target_matchers"]) and _values(one, equal) in sources)


def _values(trouble: Trouble, labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(trouble.labels.get(label, "") for label in labels)


def _matches(trouble: Trouble, matchers: Iterable[str]) -> bool:
    for matcher in matchers:
        found = _MATCHER.fullmatch(matcher)
        assert found, f"the kit writes no other matchers: {matcher}"
        label, how, value = found.groups()
        actual = trouble.labels.get(label, "")
        if actual != value if how == "=" else not re.fullmatch(value, actual):
            return False
    return True
