"""The tables, as the newest revision has them. All times are UTC, ISO 8601 text with microseconds and a Z.

A change here needs a revision of its own in `ledger/migrations/versions`, and HEAD its name.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

HEAD = "0001"
METADATA = MetaData()

RUN = Table(
    "run",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("job", Text, nullable=False),
    Column("job_digest", Text, nullable=False),
    Column("plan_digest", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("outcome", Text),
)

TASK = Table(
    "task",
    METADATA,
    Column("run", String(40), ForeignKey("run.id"), primary_key=True),
    Column("device", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("intended_at", Text, nullable=False),
    Column("began_at", Text),
    Column("ended_at", Text),
    Column("before", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("log", Text, nullable=False),
    Column("revert_until", Text),
    Index("task_of_device", "device", "run"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
