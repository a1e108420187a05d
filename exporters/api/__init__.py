"""The interface for programs, /api/v1: what the status page shows, as JSON."""
