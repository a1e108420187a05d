"""What happened: the only state of runs, rollouts, outages and the audit trail.

A row is written before a device is touched, and after; the process may be killed at any moment. Importing this package
is cheap: SQLAlchemy comes with `ledger.connection`, Alembic only when a ledger is made or upgraded.
"""
