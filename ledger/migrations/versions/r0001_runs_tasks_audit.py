"""Runs, their tasks, and the audit chain."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _runs()
    _tasks()
    _audit()


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(40), primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("job", "job_digest", "plan_digest", "person", "account", "origin", "command", "started_at")
        ),
        sa.Column("ended_at", sa.Text),
        sa.Column("outcome", sa.Text),
    )


def _tasks() -> None:
    op.create_table(
        "task",
        sa.Column("run", sa.String(40), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("intended_at", sa.Text, nullable=False),
        sa.Column("began_at", sa.Text),
        sa.Column("ended_at", sa.Text),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("revert_until", sa.Text),
    )
    op.create_index("task_of_device", "task", ["device", "run"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("at", "person", "account", "origin", "action", "details")
        ),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
