"""Set values in the text of a YAML file and leave every other character of it as it was.

The places come from the parser's own marks. The result is parsed again and must hold exactly what was asked, or
nothing is changed: a layout that is not understood is refused, never mangled.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from inventory.finding import InventoryError
from inventory.yamlfile import parse

Path = tuple[str, ...]
Wanted = dict[str, Any]  # keys to text, None, or further mappings of the same kind
_PLAIN = re.compile(r"\w([\w./@+ -]*[\w./])?")
_STEP = 2
_LONGEST_LINE = 100


class LayoutError(InventoryError):
    """The text cannot be edited in place."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def set_values(text: str, values: Mapping[Path, str | None]) -> str:
    """Return `text` with the value at each path (keys from the top) set; None writes null.

    Mappings that are missing on the way are made. Raises LayoutError.
    """
    wanted: Wanted = {}
    for path, value in values.items():
        here = wanted
        for step in path[:-1]:
            here = here.setdefault(step, {})
        here[path[-1]] = value
    expected = _data(text)
    _lay_over(expected, wanted)
    edited = _apply(text, list(_unfold(_root(text), wanted, text)))
    edited = _apply(edited, list(_change(_root(edited), wanted, edited)))
    if _data(edited) != expected:
        raise LayoutError("the edited text does not hold what was asked")
    return edited


def _root(text: str) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    if not isinstance(root, yaml.MappingNode):
        raise LayoutError("not a mapping")
    return root


def _data(text: str) -> Any:
    document, findings = parse(text.encode(), "")
    if document is None:
        raise LayoutError(str(findings[0]))
    return document.data


def _lay_over(data: dict[str, Any], wanted: Wanted) -> None:
    for key, value in wanted.items():
        if isinstance(value, dict):
            if data.get(key) is None:
                data[key] = {}
            if not isinstance(data[key], dict):
                raise LayoutError(f"'{key}' is no mapping")
            _lay_over(data[key], value)
        else:
            data[key] = value


def _apply(text: str, edits: list[_Edit]) -> str:
    """Carry out the edits. Of those at one place the first given comes first."""
    pieces, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < position:
            raise LayoutError("two changes meet")
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def _entry(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((k, v) for k, v in node.value if k.value == key), None)


def _unfold(node: yaml.MappingNode, wanted: Wanted, text: str) -> Iterator[_Edit]:
    """Turn `x: {a: 1}` into lines of its own where a whole mapping has to be added to it."""
    for key, value in wanted.items():
        entry = _entry(node, key)
        if entry is None or not isinstance(value, dict):
            continue
        name, inner = entry
        if not isinstance(inner, yaml.MappingNode):
            continue
        source = text[inner.start_mark.index : inner.end_mark.index]
        grows = any(isinstance(new, dict) and _entry(inner, step) is None for step, new in value.items())
        if inner.flow_style and not node.flow_style and grows and "\n" not in source and inner.value:
            yield from _unfolded(name, inner, text)
        elif not inner.flow_style:
            yield from _unfold(inner, value, text)


def _unfolded(name: yaml.Node, inner: yaml.MappingNode, text: str) -> Iterator[_Edit]:
    start = len(text[: inner.start_mark.index].rstrip(" "))
    yield _Edit(start, inner.end_mark.index, "")
    indent = " " * (name.start_mark.column + _STEP)
    lines = [f"{indent}{_source(k, text)}: {_source(v, text)}".rstrip() for k, v in inner.value]
    yield _insertion(text, inner.end_mark.index, lines)


def _source(node: yaml.Node, text: str) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def _insertion(text: str, after: int, lines: list[str]) -> _Edit:
    """Return the edit that adds lines below the one that holds position `after`."""
    newline = "\r\n" if "\r\n" in text else "\n"
    block = "".join(f"{line}{newline}" for line in lines)
    if after and text[after - 1] == "\n":
        return _Edit(after, after, block)  # a block scalar ends where its next line begins
    end = text.find("\n", after)
    if end < 0:
        return _Edit(len(text), len(text), newline + block)
    return _Edit(end + 1, end + 1, block)


def _change(node: yaml.MappingNode, wanted: Wanted, text: str) -> Iterator[_Edit]:
    """Yield the edits below `node`, the innermost first."""
    added: Wanted = {}
    for key, value in wanted.items():
        entry = _entry(node, key)
        if entry is None:
            added[key] = value
        elif isinstance(value, dict):
            yield from _change_inner(entry, value, bool(node.flow_style), text)
        else:
            yield _replacement(entry, scalar(value), text)
    if added and node.flow_style:
        yield _flow_addition(node, added)
    elif added:
        indent = node.value[0][0].start_mark.column
        yield _insertion(text, _last(node), list(_block(added, indent)))


def _change_inner(entry: tuple[yaml.Node, yaml.Node], value: Wanted, in_flow: bool, text: str) -> Iterator[_Edit]:
    name, inner = entry
    if isinstance(inner, yaml.MappingNode):
        yield from _change(inner, value, text)
    elif in_flow:
        yield _replacement(entry, _flow(value), text)
    else:
        if _source(inner, text):
            yield _Edit(inner.start_mark.index, inner.end_mark.index, "")
        yield _insertion(text, inner.end_mark.index, list(_block(value, name.start_mark.column + _STEP)))


def _replacement(entry: tuple[yaml.Node, yaml.Node], new: str, text: str) -> _Edit:
    """Return the edit that puts `new` in the place of a value; an empty one has no place but behind its colon."""
    name, value = entry
    start, end = value.start_mark.index, value.end_mark.index
    if start == end:
        return _Edit(start, end, f" {new}" if text[start - 1] == ":" else f": {new}")
    if text[end - 1] == "\n":
        new += "\n"
    return _Edit(start, end, new if start > name.end_mark.index else f" {new}")


def _last(node: yaml.Node) -> int:
    """Return where the last thing in `node` ends; a block mapping's own end mark is beyond what follows it."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _last(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last(node.value[-1])
    return cast("int", node.end_mark.index)


def _flow_addition(node: yaml.MappingNode, added: Wanted) -> _Edit:
    inside = _flow(added)[1:-1]
    if not node.value:
        end = node.end_mark.index - 1
        return _Edit(end, end, inside)
    end = _last(node.value[-1][1])
    return _Edit(end, end, f", {inside}")


def _block(wanted: Wanted, indent: int) -> Iterator[str]:
    """Yield the lines of a block mapping; a mapping of plain values stands on one line if it fits."""
    for key, value in wanted.items():
        start = f"{' ' * indent}{key}:"
        if not isinstance(value, dict):
            yield f"{start} {scalar(value)}"
        elif len(line := f"{start} {_flow(value)}") <= _LONGEST_LINE and not _nested(value):
            yield line
        else:
            yield start
            yield from _block(value, indent + _STEP)


def _nested(wanted: Wanted) -> bool:
    return any(isinstance(value, dict) for value in wanted.values())


def _flow(wanted: Wanted) -> str:
    pairs = ((key, _flow(value) if isinstance(value, dict) else scalar(value)) for key, value in wanted.items())
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def scalar(text: str | None) -> str:
    """Return a value as YAML: as it is where no reader could take it for anything but text or a day, else quoted."""
    if text is None:
        return "null"
    if _PLAIN.fullmatch(text) and not _resolves(text):
        return text
    dumped = yaml.dump(text, default_style='"', allow_unicode=True, width=10**9)
    return dumped.rstrip("\n")


def _resolves(text: str) -> bool:
    """Whether a YAML reader that knows types would make a number, a boolean or nothing of plain `text`."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return node is None or node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
