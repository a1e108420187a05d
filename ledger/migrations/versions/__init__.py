"""One file a revision; a revision that was shipped is never edited.

Foreign keys are on while a revision runs: it adds columns and tables, and never rebuilds one that others refer to.
"""
