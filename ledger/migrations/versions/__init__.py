"""One file a revision; a revision that was shipped is never edited."""
