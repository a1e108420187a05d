"""Read one YAML file of a province: every scalar is text, every key keeps its line, nothing can explode.

Scalars stay text on purpose: a serial `00123`, a MAC address or the answer `no` must not turn into a number,
a sexagesimal or a boolean. The declared models (`inventory.declared`) give them their types.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from inventory.finding import Finding, Place, finding
from inventory.language import N_, _

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 24
_SURELY_SHALLOW = 2000  # the parser recurses in C: tens of thousands of levels would end the process
_MOST_REFUSALS = 20
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
        raw = _bytes(path)
    except OSError as error:
        return None, [finding(Place(file), "file-unreadable", reason=error.strerror or error)]
    return parse(raw, file)


def _bytes(path: Path) -> bytes:
    """Return one byte more than is allowed at most. Opened without blocking: a pipe would wait for its writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, _("it is no regular file"))
        return stream.read(MAX_BYTES + 1)


def parse(raw: bytes, file: str) -> tuple[Document | None, list[Finding]]:
    """Parse the bytes of one file. Of syntax errors only the first can be told, as the parser stops there."""
    text, problem = _decode(raw, file)
    if problem:
        return None, [problem]
    try:
        if refused := list(islice(_refused_events(text, file), _MOST_REFUSALS)):
            return None, refused
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


# Control characters move a terminal's cursor and colours, direction marks show a text in another order than it has.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")


def _decode(raw: bytes, file: str) -> tuple[str, Finding | None]:
    if len(raw) > MAX_BYTES:
        return "", finding(Place(file), "file-too-large", limit=MAX_BYTES // 1024 // 1024)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        return "", finding(_end_of(before, file), "bad-encoding", byte=f"0x{raw[error.start]:02x}")
    if not text.strip():
        return "", finding(Place(file), "file-empty")
    if hidden := _HIDDEN.search(text):
        return "", finding(_end_of(text[: hidden.start()], file), "bad-character", code=_code(hidden[0]))
    return text, None


def _end_of(text: str, file: str) -> Place:
    """Return the place right behind `text`."""
    return Place(file, text.count("\n") + 1, len(text) - text.rfind("\n"))


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


_ANCHOR_OR_TAG = re.compile(r"[&*!]")


def _refused_events(text: str, file: str) -> Iterator[Finding]:
    """Refuse anchors, aliases and tags: kinds do what anchors are for, and neither bombs nor types get in.

    Deep nesting is refused here too, before anything recurses over it.
    """
    if not _ANCHOR_OR_TAG.search(text) and _deepest(text) <= _SURELY_SHALLOW:
        return
    depth, anchors = 0, set[str]()
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH + 1:
            yield finding(_place(file, event), "yaml-too-deep", limit=MAX_DEPTH)
            return
        anchor = getattr(event, "anchor", None)
        if anchor and anchor not in anchors:
            anchors.add(anchor)
            yield finding(_place(file, event), "yaml-alias", name=anchor)
        tag = getattr(event, "tag", None)
        if tag and tag not in _STANDARD_TAGS and tag != "!":
            yield finding(_place(file, event), "yaml-tag", tag=tag.replace("tag:yaml.org,2002:", "!!"))


def _deepest(text: str) -> int:
    """Return a number of levels that the text cannot exceed: each takes a bracket, or a column of some line."""
    return text.count("[") + text.count("{") + 2 * max(map(len, text.splitlines()))


# What libyaml says, in the words of someone who has a file to mend.
PROBLEMS: Mapping[str, str] = {
    "mapping values are not allowed in this context": N_(
        "a ': ' more than fits; quote the text or mend the indentation"
    ),
    "found character that cannot start any token": N_("a value that starts with this character needs quotes"),
    "could not find expected ':'": N_("a key has no ':'"),
    "did not find expected key": N_("the indentation does not fit the lines above"),
    "did not find expected '-' indicator": N_("the indentation does not fit the list above"),
    "did not find expected <document start>": N_("the indentation does not fit the lines above"),
    "did not find expected ',' or '}'": N_("a '{' is not closed, a ',' is missing, or a text needs quotes"),
    "did not find expected ',' or ']'": N_("a '[' is not closed, a ',' is missing, or a text needs quotes"),
    "did not find expected node content": N_("a value is missing between brackets or commas"),
    "found unexpected end of stream": N_("a quotation mark is not closed"),
    "found unknown escape character": N_("an unknown '\\' sequence; use single quotes"),
    "but found another document": N_("a second document begins; delete the '---'"),
}


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Finding:
    mark = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: max(place.column, len(line) - len(line.lstrip()))]:
        return finding(Place(file, place.line, line.index("\t") + 1), "tab")
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", error))
    told = _(PROBLEMS[problem]) if problem in PROBLEMS else problem
    at_end = (place.line, place.column) >= _end_of(text.rstrip(), file)[1:]
    return finding(place, "file-truncated" if at_end else "yaml-syntax", problem=told)


def _place(file: str, marked: yaml.Node | yaml.Event) -> Place:
    mark = marked.start_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _plain(node: yaml.Node, file: str, findings: list[Finding], depth: int) -> Any:
    """Turn nodes into mappings, lists and text; complain of keys that are not text, of duplicates, of hidden text."""
    if isinstance(node, yaml.ScalarNode):
        if node.style == '"' and (hidden := _HIDDEN.search(node.value)):  # written as an escape such as "\\e"
            findings.append(finding(_place(file, node), "bad-character", code=_code(hidden[0])))
        return None if node.value in _NULLS and not node.style else node.value
    if depth > MAX_DEPTH:
        findings.append(finding(_place(file, node), "yaml-too-deep", limit=MAX_DEPTH))
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, findings, depth + 1) for item in node.value]
    mapping: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            findings.append(finding(_place(file, key), "key-not-text"))
        elif key.value in mapping:
            findings.append(finding(_place(file, key), "duplicate-key", key=key.value, first=lines[key.value]))
        else:
            _plain(key, file, findings, depth)
            mapping[key.value] = _plain(value, file, findings, depth + 1)
            lines[key.value] = key.start_mark.line + 1
    return mapping
