"""Circles in what refers to each other: kinds, uplinks, services."""

from collections.abc import Iterator, Mapping, Sequence


def circles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the circles of a graph, each once, as a depth-first walk in the order of `edges` closes them."""
    finished: set[str] = set()
    for start in edges:
        path: dict[str, None] = {}  # ordered, and quick to ask
        waiting = [iter((start,))]  # one iterator a level: a chain may be longer than Python's own stack
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if path:
                    finished.add(path.popitem()[0])
            elif name in path:
                names = list(path)
                yield names[names.index(name) :]
            elif name not in finished:
                path[name] = None
                waiting.append(iter(edges.get(name, ())))
