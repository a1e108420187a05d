"""What people were told of what is out, and what they are still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table of notices."""
    op.create_table(
        "notice",
        sa.Column("id", sa.String(40), primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("made", "person", "address", "title", "text", "alerts")
        ),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sent", sa.Text),
        sa.Column("given_up", sa.Text),
    )
    op.create_index("notice_made", "notice", ["made"])
