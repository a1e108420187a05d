"""The revisions of the ledger, which Alembic applies; see `ledger.upgrade`."""
