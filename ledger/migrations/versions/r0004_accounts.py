"""Who may log in to the status page and its interface for programs: accounts, tokens, sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables of those who log in."""
    _accounts()
    _tokens()
    _sessions()


def _texts(*names: str) -> tuple["sa.Column[str]", ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("person", sa.Text, primary_key=True),
        *_texts("hash"),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Text),
        *_texts("created", "changed"),
        sa.Column("disabled", sa.Text),
    )


def _tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("secret", sa.String(64), nullable=False, unique=True),
        sa.Column("person", sa.Text, sa.ForeignKey("account.person"), nullable=False),
        *_texts("label", "created", "expires"),
        sa.Column("last_used", sa.Text),
        sa.Column("revoked", sa.Text),
    )
    op.create_index("token_of_person", "token", ["person"])


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("account.person"), nullable=False),
        *_texts("created", "last_seen", "expires", "csrf"),
    )
    op.create_index("session_of_person", "session", ["person"])
    op.create_index("session_expires", "session", ["expires"])
