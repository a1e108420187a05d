"""Figures, each beside a peer or a physical limit that is measured in the same run: `make bench`."""
