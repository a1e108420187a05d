"""What happened: the list of rollouts, everything that was done to one device, and a rollout as evidence."""

import json
from typing import Any

import typer

from cli.output import print_json, print_table
from cli.planned import STATES
from cli.rollout_course import local
from cli.rollout_state import Seen, see, see_record
from cli.rollout_view import status_cell
from cli.rollout_words import happened
from cli.settings import Format, Settings
from inventory.language import N_, _
from inventory.model import Province
from inventory.nearest import nearest
from ledger.audit import head
from ledger.connection import Ledger
from ledger.history import find_run, tasks_of_device
from ledger.records import RolloutEvent
from ledger.rollout_history import events_of_device, find_rollout, rollouts
from playbooks.rollout.approval import NAMESPACE, signed_text
from playbooks.rollout.plan import dump_rollout
from playbooks.rollout.state import Kind
from playbooks.rollout.words import counted

LIST_COLUMNS = {
    "rollout": N_("ROLLOUT"),
    "id": N_("ID"),
    "job": N_("JOB"),
    "author": N_("AUTHOR"),
    "made": N_("MADE"),
    "is": N_("STATUS"),
    "wave_of": N_("WAVE"),
    "how": N_("DEVICES"),
}
HISTORY_COLUMNS = {
    "time": N_("TIME"),
    "of": N_("OF"),
    "what": N_("WHAT"),
    "person": N_("PERSON"),
    "reason": N_("WHY"),
}
Items = list[dict[str, Any]]


def list_rollouts(options: Settings, form: Format, limit: int) -> None:
    """Print the newest rollouts."""
    province = options.load()
    with options.ledger(province) as ledger:
        seen = [see_record(ledger, province, record) for record in rollouts(ledger, limit=limit)]
    items = [_list_item(one) for one in seen]
    if form is Format.JSON:
        print_json(items)
        return
    rows = [
        {
            **item,
            "is": status_cell(item["status"]),
            "made": local(item["made_at"], province.time_zone),
            "wave_of": f"{item['wave']}/{item['waves']}",
            "how": counted(status.state for status in one.state.devices.values()),
        }
        for item, one in zip(items, seen, strict=True)
    ]
    print_table(LIST_COLUMNS, rows)


def _list_item(seen: Seen) -> dict[str, Any]:
    return {
        "rollout": seen.plan.name,
        "id": seen.record.id,
        "job": seen.plan.job,
        "author": seen.plan.author,
        "made_at": seen.record.made_at,
        "ended_at": seen.record.ended_at,
        "status": str(seen.state.status),
        "wave": seen.state.wave + 1,
        "waves": len(seen.plan.waves),
        "devices": len(seen.plan.devices),
    }


def show_device(options: Settings, device: str, form: Format, limit: int) -> None:
    """Print what happened to a device, newest first: in rollouts, and in runs of jobs."""
    province = options.load()
    with options.ledger(province) as ledger:
        items = _history(ledger, device, limit)
    if not items and device not in province.devices:
        near = nearest(device, province.devices)
        raise typer.BadParameter(_("no device is called '{name}'; write {near}").format(name=device, near=near))
    if form is Format.JSON:
        print_json(items)
    else:
        print_table(HISTORY_COLUMNS, [_history_row(item, province.time_zone) for item in items])


def _history_row(item: dict[str, Any], zone: str) -> dict[str, Any]:
    """Return an item for people."""
    if item["is"] == "run":
        what = _(STATES.get(item["what"], item["what"]))
    else:
        what = happened(*item["what"].partition(" ")[::2])
    return {**item, "time": local(item["at"], zone), "what": what}


def _history(ledger: Ledger, device: str, limit: int) -> Items:
    names: dict[str, str] = {}
    items: Items = []
    for event in events_of_device(ledger, device, limit):
        if event.rollout not in names:
            names[event.rollout] = find_rollout(ledger, event.rollout).name
        items.append(_event_item(event, names[event.rollout]))
    for task in tasks_of_device(ledger, device, limit):
        run = find_run(ledger, task.run)
        items.append(
            {
                "is": "run",
                "at": task.ended_at or task.began_at or task.intended_at,
                "of": run.job,
                "id": run.id,
                "what": str(task.state),
                "person": run.actor.person,
                "reason": task.reason,
                "changes": task.changes,
            }
        )
    return sorted(items, key=lambda item: str(item["at"]), reverse=True)[:limit]


def _event_item(event: RolloutEvent, name: str) -> dict[str, Any]:
    details = event.details
    what = details.get("result") or details.get("step") or ""
    return {
        "is": "event",
        "at": event.at,
        "of": name,
        "id": event.rollout,
        "what": f"{event.kind} {what}".strip(),
        "person": event.person,
        "reason": str(details.get("reason") or details.get("why") or ""),
    }


def evidence(options: Settings, key: str) -> str:
    """Return a rollout as JSON text: plan, events, approvals as `ssh-keygen` can verify them, and the audit's head."""
    province = options.load()
    with options.ledger(province) as ledger:
        seen = see(ledger, province, key)
        newest = head(ledger)
    record = seen.record
    content = {
        "rollout": record.id,
        "name": record.name,
        "author": record.actor.person,
        "account": record.actor.account,
        "origin": record.actor.origin,
        "made_at": record.made_at,
        "ended_at": record.ended_at,
        "status": str(seen.state.status),
        "plan_digest": record.plan_digest,
        "plan": dump_rollout(seen.plan),
        "events": [_evidence_of(event) for event in seen.events],
        "approvals": [_approval(province, seen, event) for event in seen.events if event.kind == Kind.APPROVED],
        "audit_head": f"{newest.seq}:{newest.hash}",
    }
    return json.dumps({"schema": 1, "items": [content]}, ensure_ascii=False, indent=1) + "\n"


def _evidence_of(event: RolloutEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": event.at,
        "kind": event.kind,
        "device": event.device,
        "wave": event.wave,
        "details": event.details,
        "person": event.person,
        "token": event.token,
    }


def _approval(province: Province, seen: Seen, event: RolloutEvent) -> dict[str, Any]:
    """Return an approval with all that `ssh-keygen -Y verify` needs, and whether it counts."""
    account = str(event.details.get("person", ""))
    person = province.people.get(account)
    return {
        "seq": event.seq,
        "wave": event.wave + 1,
        "person": account,
        "keys": list(person.keys) if person else [],
        "namespace": NAMESPACE,
        "text": signed_text(seen.record.id, seen.plan.digest, event.wave).decode(),
        "signature": event.details.get("signature", ""),
        "counts": seen.approvals.counts(event),
    }
