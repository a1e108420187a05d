"""Rollouts, their events, and the leases of those who drive them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables of rollouts."""
    _rollouts()
    _events()
    _leases()


def _rollouts() -> None:
    op.create_table(
        "rollout",
        sa.Column("id", sa.String(40), primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("name", "job", "plan_digest", "plan", "author", "account", "origin", "made_at")
        ),
        sa.Column("ended_at", sa.Text),
    )
    op.create_index("rollout_of_name", "rollout", ["name", "id"])


def _events() -> None:
    op.create_table(
        "rollout_event",
        sa.Column("rollout", sa.String(40), sa.ForeignKey("rollout.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("wave", sa.Integer, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("token", sa.Integer),
    )
    op.create_index("rollout_event_of_device", "rollout_event", ["device", "rollout", "seq"])


def _leases() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("began", "space", "since", "until")),
        sa.Column("token", sa.Integer, nullable=False),
    )
