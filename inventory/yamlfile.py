"""Read one YAML file of a province: every scalar is text, every key keeps its line, nothing can explode.

Scalars stay text on purpose: a serial `00123`, a MAC address or the answer `no` must not turn into a number,
a sexagesimal or a boolean. The declared models (`inventory.declared`) give them their types.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from inventory.finding import Finding, Place, finding

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 24
_STANDARD_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
)
_NULLS = frozenset(("", "~", "null"))


class _Loader(yaml.CBaseLoader):  # type: ignore[misc, name-defined, unused-ignore]
    """The C parser without tag resolution, which is Python code called once a node."""

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        return ""

    def descend_resolver(self, _parent: object, _index: object) -> None:
        """Take no part: paths are not resolved."""

    def ascend_resolver(self) -> None:
        """Take no part: paths are not resolved."""


@dataclass
class Document:
    """One file: `data` holds mappings, lists, text and None; `root` remembers where each key stands."""

    file: str
    data: Any
    root: yaml.Node
    _indices: dict[int, dict[Any, tuple[yaml.Node, yaml.Node]]] = field(default_factory=dict, repr=False)

    def place(self, *path: str | int) -> Place:
        """Return where `path` (keys and list positions) stands, or the nearest ancestor that exists."""
        node, mark = self.root, self.root
        for step in path:
            entry = self._index(node).get(step)
            if entry is None:
                break
            mark, node = entry
        return _place(self.file, mark)

    def _index(self, node: yaml.Node) -> dict[Any, tuple[yaml.Node, yaml.Node]]:
        index = self._indices.get(id(node))
        if index is None:
            if isinstance(node, yaml.MappingNode):
                index = {key.value: (key, value) for key, value in node.value}
            elif isinstance(node, yaml.SequenceNode):
                index = {number: (item, item) for number, item in enumerate(node.value)}
            else:
                index = {}
            self._indices[id(node)] = index
        return index


def read(path: Path, file: str) -> tuple[Document | None, list[Finding]]:
    """Read `path`, called `file` in complaints. A file that cannot be used gives None and the reasons."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return None, [finding(Place(file), "file-unreadable", reason=error.strerror or error)]
    return parse(raw, file)


def parse(raw: bytes, file: str) -> tuple[Document | None, list[Finding]]:
    """Parse the bytes of one file. Of syntax errors only the first can be told, as the parser stops there."""
    text, problem = _decode(raw, file)
    if problem:
        return None, [problem]
    try:
        events_ok = list(_refused_events(text, file))
        if events_ok:
            return None, events_ok
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        return None, [_syntax(error, text, file)]
    if root is None:
        return None, [finding(Place(file), "file-empty")]
    if not isinstance(root, yaml.MappingNode):
        return None, [finding(_place(file, root), "not-a-mapping")]
    findings: list[Finding] = []
    data = _plain(root, file, findings, 0)
    return (None if findings else Document(file, data, root)), findings


def _decode(raw: bytes, file: str) -> tuple[str, Finding | None]:
    if len(raw) > MAX_BYTES:
        return "", finding(Place(file), "file-too-large", limit=MAX_BYTES // 1024 // 1024)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        return "", finding(Place(file, line, column), "bad-encoding", byte=f"0x{raw[error.start]:02x}")
    if not text.strip():
        return "", finding(Place(file), "file-empty")
    return text, None


_ANCHOR_OR_TAG = re.compile(r"[&*!]")


def _refused_events(text: str, file: str) -> Iterator[Finding]:
    """Refuse anchors, aliases and tags: kinds do what anchors are for, and neither bombs nor types get in."""
    if not _ANCHOR_OR_TAG.search(text):
        return
    for event in yaml.parse(text, Loader=_Loader):
        place = _place(file, event)
        if anchor := getattr(event, "anchor", None):
            yield finding(place, "yaml-alias", name=anchor)
        tag = getattr(event, "tag", None)
        if tag and tag not in _STANDARD_TAGS and tag != "!":
            yield finding(place, "yaml-tag", tag=tag)


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Finding:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        place = Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        return finding(place, "bad-character", code=f"U+{ord(text[error.position]):04X}" if before else error.reason)
    mark = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: max(place.column, len(line) - len(line.lstrip()))]:
        return finding(Place(file, place.line, line.index("\t") + 1), "tab")
    if place.line >= len(lines):
        return finding(place, "file-truncated", problem=getattr(error, "problem", error))
    return finding(place, "yaml-syntax", problem=getattr(error, "problem", error))


def _place(file: str, marked: yaml.Node | yaml.Event) -> Place:
    mark = marked.start_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _plain(node: yaml.Node, file: str, findings: list[Finding], depth: int) -> Any:
    """Turn nodes into mappings, lists and text; complain of duplicate keys and of keys that are not text."""
    if isinstance(node, yaml.ScalarNode):
        return None if node.value in _NULLS and not node.style else node.value
    if depth > MAX_DEPTH:
        findings.append(finding(_place(file, node), "yaml-too-deep", limit=MAX_DEPTH))
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, findings, depth + 1) for item in node.value]
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            findings.append(finding(_place(file, key), "key-not-text"))
        elif key.value in mapping:
            first = next(k for k, _v in node.value if k.value == key.value).start_mark.line + 1
            findings.append(finding(_place(file, key), "duplicate-key", key=key.value, first=first))
        else:
            mapping[key.value] = _plain(value, file, findings, depth + 1)
    return mapping
