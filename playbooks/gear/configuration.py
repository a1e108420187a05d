"""Configurations as trees: what is whole, what is intended, and the lines from one to the other. Pure functions."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from hier_config import HConfig, HConfigChild, MatchRule, get_hconfig
from hier_config.exceptions import DuplicateChildError

from inventory.language import _
from playbooks.gear.capabilities import Lineage
from playbooks.gear.errors import TemplateError, TruncatedError
from playbooks.gear.platforms import Platform

Node = HConfig | HConfigChild


class Section(NamedTuple):
    """What changes in one section: its first line, and all lines to send, in order, indented."""

    title: str
    lines: tuple[str, ...]


def whole(platform: Platform, text: str) -> str:
    """Return a running configuration from its beginning to its end. Raises TruncatedError when it is cut short."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if not lines or not re.search(platform.ends, lines[-1]):
        last = lines[-1] if lines else ""
        told = _("the running configuration is cut short: its last line is '{last}'; nothing was changed, try again")
        raise TruncatedError(told.format(last=last[:80]))
    if not any(re.search(platform.begins, line) for line in lines):
        raise TruncatedError(_("the running configuration has no beginning; nothing was changed, try again"))
    return "\n".join(lines) + "\n"


def intended(platform: Platform, running: str, owned: Iterable[Lineage], pieces: Iterable[str]) -> str:
    """Return what the device is to say: `running` without what is `owned`, and over it each of `pieces`, in order.

    Raises TemplateError when a piece has the same section twice.
    """
    tree = _tree(platform, running)
    for lineage in owned:
        for child in tuple(tree.get_children_deep(_matching(lineage))):
            child.delete()
    for piece in pieces:
        wanted = _wanted(platform, piece)
        result = tree.future(wanted)
        _drop_done_negations(result, wanted, tree)
        tree = result
    return "".join(f"{line}\n" for line in tree.lines())


def remediation(platform: Platform, running: str, target: str) -> tuple[Section, ...]:
    """Return what to send, by section, so that a device that says `running` says `target`; nothing when it does."""
    now, then = _tree(platform, running), _tree(platform, target)
    for child in now.children:
        if re.search(platform.permanent, child.text) and child.text not in then.children:
            then.add_child(child.text)
    delta = now.config_to_get_to(then).set_order_weight()
    return tuple(Section(child.text, tuple(child.lines(sectional_exiting=True))) for child in sorted(delta.children))


def _tree(platform: Platform, text: str) -> HConfig:
    return get_hconfig(platform.rules(), text)


def _wanted(platform: Platform, piece: str) -> HConfig:
    try:
        return _tree(platform, piece)
    except DuplicateChildError as error:
        raise TemplateError(_("the lines of a template: {reason}").format(reason=error)) from error


def _matching(lineage: Lineage) -> tuple[MatchRule, ...]:
    """Match lines by their first words; the innermost also where it is negated."""
    *around, line = lineage
    rules = [MatchRule(startswith=words) for words in around]
    return (*rules, MatchRule(startswith=(line, f"no {line}")))


def _drop_done_negations(result: Node, wanted: Node, before: Node | None) -> None:
    """Take out each `no ...` that is wanted and was not there before: a device does not keep such lines."""
    for child in wanted.children:
        left, earlier = result.children.get(child.text), before.children.get(child.text) if before else None
        if left is None:
            continue
        if child.text.startswith("no ") and earlier is None:
            left.delete()
        else:
            _drop_done_negations(left, child, earlier)
