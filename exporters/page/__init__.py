"""The status page: what `tuyen watch` shows to people."""
