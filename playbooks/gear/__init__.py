"""Network gear with a command line: what a platform can do and how, what it is to say, and the lines in between.

All here is values and pure functions, but `linux`, which reads and writes files over an open connection.
"""

from playbooks.gear.platforms import PLATFORMS

__all__ = ["revertible"]


def revertible(platform: str) -> bool:
    """Whether gear of `platform` has a Linux side on which a revert can be armed."""
    return platform in PLATFORMS and PLATFORMS[platform].linux
