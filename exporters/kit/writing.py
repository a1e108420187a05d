"""Text as the kit writes it: YAML and JSON whose order is ours, with expressions as they were laid out."""

import json
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, which is how people read expressions; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (yaml's own signature)
        """Write every value where it stands."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def yaml_text(value: Any, about: str) -> str:
    """Return `value` as YAML, keys in the order given, under a comment that says what the file is."""
    body = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return f"# {about}\n# Written by 'tuyen monitoring render': changes here do not last.\n{body}"


def json_text(value: Any) -> str:
    """Return `value` as JSON, keys in the order given."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
