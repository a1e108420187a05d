"""The text of /metrics, kept ready: each line is written when its reading comes, a scrape only joins them.

`prometheus_client.generate_latest` is the model: for the same samples the text is the same.
"""

from collections.abc import Hashable, Iterable, Mapping

from prometheus_client.utils import floatToGoString

from exporters.reading import METRICS, Meaning, Metric

Labels = tuple[tuple[str, str], ...]


def escape(text: str) -> str:
    """Return a label value as it stands between quotes."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def label_text(labels: Iterable[tuple[str, str]]) -> str:
    """Return labels as they stand between braces, in the order of their names."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in sorted(labels))


class Exposition:
    """Lines by metric and by key; a key is whatever owns lines, such as a question or an office."""

    def __init__(self, meanings: Mapping[str, Meaning] = METRICS) -> None:
        self._heads = {
            name: f"# HELP {name} {_escape_help(meaning.help)}\n# TYPE {name} {meaning.type}\n"
            for name, meaning in meanings.items()
        }
        self._lines: dict[str, dict[Hashable, str]] = {name: {} for name in meanings}
        self._owned: dict[Hashable, tuple[str, ...]] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}  # one tuple for all who own lines of the same names

    def put(self, key: Hashable, labels: Labels, metrics: Iterable[Metric]) -> None:
        """Let `key` own exactly the lines of `metrics`, each with its own labels beside `labels`."""
        lines: dict[str, str] = {}
        between: dict[Labels, str] = {}  # the braces, by the labels of a metric's own: most metrics have none
        for name, own, value in metrics:
            text = between.get(own)
            if text is None:
                text = between[own] = _braces(labels + own)
            line = f"{name}{text} {_number(value)}\n"
            lines[name] = lines[name] + line if name in lines else line
        for gone in set(self._owned.get(key, ())) - lines.keys():
            del self._lines[gone][key]
        for name, text in lines.items():
            self._lines[name][key] = text
        names = tuple(lines)
        self._owned[key] = self._names.setdefault(names, names)

    def drop(self, key: Hashable) -> None:
        """Let `key` own nothing."""
        for name in self._owned.pop(key, ()):
            del self._lines[name][key]

    def owners(self) -> tuple[Hashable, ...]:
        """Return who owns lines."""
        return tuple(self._owned)

    def text(self) -> str:
        """Return everything in the text format 0.0.4."""
        parts: list[str] = []
        for name, lines in self._lines.items():
            if lines:
                parts.append(self._heads[name])
                parts += lines.values()
        return "".join(parts)


def _braces(labels: Labels) -> str:
    """Return labels with their braces; nothing where there is none."""
    return f"{{{label_text(labels)}}}" if labels else ""


def _number(value: float) -> str:
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
