"""Outages, planned work, when the watch was on, and what each day was like."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables of the watch."""
    _outages()
    _planned()
    _spans()
    _days()


def _texts(*names: str) -> tuple["sa.Column[str]", ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


def _outages() -> None:
    op.create_table(
        "outage",
        sa.Column("id", sa.String(40), primary_key=True),
        *_texts("kind", "node", "began"),
        sa.Column("ended", sa.Text),
        *_texts("state", "cause", "cause_by"),
        sa.Column("root", sa.String(40), sa.ForeignKey("outage.id")),
        *_texts("evidence", "note", "noted_by"),
        sa.Column("acked_until", sa.Text),
        *_texts("acked_by"),
    )
    op.create_index("outage_of_node", "outage", ["kind", "node", "began"])
    op.create_index("outage_at", "outage", ["began"])
    is_open = sa.text("ended IS NULL")
    op.create_index(
        "outage_open", "outage", ["kind", "node"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )


def _planned() -> None:
    op.create_table(
        "planned",
        sa.Column("id", sa.String(40), primary_key=True),
        *_texts("selector", "began", "until", "why", "person", "made_at"),
        sa.Column("cancelled_at", sa.Text),
    )
    op.create_index("planned_until", "planned", ["until"])


def _spans() -> None:
    op.create_table("watch_span", sa.Column("began", sa.String(40), primary_key=True), *_texts("until"))


def _days() -> None:
    op.create_table(
        "daily",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("node", sa.String(200), primary_key=True),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("up", "degraded", "down", "unreachable", "maintenance")
        ),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("asked", "unanswered", "trips")),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("trip_seconds", "longest_trip")),
    )
