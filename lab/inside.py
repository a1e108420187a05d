"""Whether this process runs inside a lab."""

import os

VARIABLE = "TUYEN_LAB"  # set in what runs inside a lab, to its state folder


def inside() -> bool:
    """Whether this process was started by `tuyen lab run`, where no packet has a way out."""
    return bool(os.environ.get(VARIABLE))
