"""The tables, as the newest revision has them. All times are UTC, ISO 8601 text with microseconds and a Z.

A change here needs a revision of its own in `ledger/migrations/versions`, and HEAD its name.
"""

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

HEAD = "0005"
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

ROLLOUT = Table(
    "rollout",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("plan_digest", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("ended_at", Text),
    Index("rollout_of_name", "name", "id"),
)

ROLLOUT_EVENT = Table(
    "rollout_event",
    METADATA,
    Column("rollout", String(40), ForeignKey("rollout.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("device", Text, nullable=False),  # "" where it is about none
    Column("wave", Integer, nullable=False),  # -1 where it is about none
    Column("details", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("token", Integer),
    Index("rollout_event_of_device", "device", "rollout", "seq"),
)

LEASE = Table(
    "lease",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # a person
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("began", Text, nullable=False),  # with `space` it tells the process from another one of that number
    Column("space", Text, nullable=False),
    Column("since", Text, nullable=False),
    Column("until", Text, nullable=False),  # "" once it was given back
    Column("token", Integer, nullable=False),  # only ever grows; the row is never deleted
)

_OPEN = text("ended IS NULL")
OUTAGE = Table(
    "outage",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("began", Text, nullable=False),
    Column("ended", Text),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("cause_by", Text, nullable=False),  # the person who said so, "" where it was found
    Column("root", String(40), ForeignKey("outage.id")),  # the outage that it follows from; none: it is one itself
    Column("evidence", Text, nullable=False),  # JSON
    Column("note", Text, nullable=False),
    Column("noted_by", Text, nullable=False),
    Column("acked_until", Text),
    Column("acked_by", Text, nullable=False),
    Index("outage_of_node", "kind", "node", "began"),
    Index("outage_at", "began"),
    Index("outage_open", "kind", "node", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

PLANNED = Table(
    "planned",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("selector", Text, nullable=False),
    Column("began", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("cancelled_at", Text),
    Index("planned_until", "until"),
)

WATCH_SPAN = Table(
    "watch_span",
    METADATA,
    Column("began", String(40), primary_key=True),
    Column("until", Text, nullable=False),  # the last sign of life
)

DAILY = Table(
    "daily",
    METADATA,
    Column("day", String(10), primary_key=True),  # local, such as 2026-11-25
    Column("kind", String(20), primary_key=True),
    Column("node", String(200), primary_key=True),
    Column("up", Double, nullable=False),  # seconds in each state; what a day lacks is unknown
    Column("degraded", Double, nullable=False),
    Column("down", Double, nullable=False),
    Column("unreachable", Double, nullable=False),
    Column("maintenance", Double, nullable=False),
    Column("asked", Integer, nullable=False),  # questions, and those without an answer
    Column("unanswered", Integer, nullable=False),
    Column("trips", Integer, nullable=False),  # pings that were answered, and their round trips in seconds
    Column("trip_seconds", Double, nullable=False),
    Column("longest_trip", Double, nullable=False),
)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("person", Text, primary_key=True),  # as people.yaml calls them
    Column("hash", Text, nullable=False),  # of the password, in the form of argon2
    Column("failures", Integer, nullable=False),  # in a row, an attempt that is under way included
    Column("locked_until", Text),
    Column("created", Text, nullable=False),
    Column("changed", Text, nullable=False),  # when the password was last set
    Column("disabled", Text),
)

TOKEN = Table(
    "token",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("secret", String(64), nullable=False, unique=True),  # its SHA-256
    Column("person", Text, ForeignKey("account.person"), nullable=False),
    Column("label", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("last_used", Text),
    Column("revoked", Text),
    Index("token_of_person", "person"),
)

SESSION = Table(
    "session",
    METADATA,
    Column("id", String(64), primary_key=True),  # the SHA-256 of what the browser has
    Column("person", Text, ForeignKey("account.person"), nullable=False),
    Column("created", Text, nullable=False),
    Column("last_seen", Text, nullable=False),
    Column("expires", Text, nullable=False),  # whatever happens until then
    Column("csrf", Text, nullable=False),
    Index("session_of_person", "person"),
    Index("session_expires", "expires"),
)

NOTICE = Table(
    "notice",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("made", Text, nullable=False),  # before it is sent
    Column("person", Text, nullable=False),
    Column("address", Text, nullable=False),  # its SHA-256: an address may hold a secret
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("alerts", Text, nullable=False),  # JSON: what it tells of which alerts
    Column("tries", Integer, nullable=False),
    Column("sent", Text),
    Column("given_up", Text),
    Index("notice_made", "made"),
)
