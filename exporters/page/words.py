"""The words of the status page for what states, causes and things are called."""

from collections.abc import Mapping

from inventory.language import N_

STATES: Mapping[str, str] = {
    "up": N_("up"),
    "degraded": N_("degraded"),
    "down": N_("down"),
    "unreachable": N_("unreachable"),
    "maintenance": N_("maintenance"),
    "unknown": N_("unknown"),
}
MEANINGS: Mapping[str, str] = {
    "up": N_("everything answers"),
    "degraded": N_("it works, but something in it does not"),
    "down": N_("it does not answer"),
    "unreachable": N_("the way to it is down, so nothing is known of itself"),
    "maintenance": N_("planned work"),
    "unknown": N_("nothing has been heard of it yet"),
}
CAUSES: Mapping[str, str] = {
    "device": N_("device"),
    "link": N_("link"),
    "power": N_("power"),
    "upstream": N_("upstream"),
    "maintenance": N_("maintenance"),
    "unknown": N_("unknown"),
}
KINDS: Mapping[str, str] = {
    "office": N_("office"),
    "service": N_("service"),
    "link": N_("link"),
    "device": N_("device"),
}
TROUBLE_FIRST = ("down", "unreachable", "degraded", "maintenance", "unknown", "up")
MEDIA: Mapping[str, str] = {
    "fibre": N_("fibre"),
    "copper": N_("copper"),
    "radio": N_("radio"),
    "satellite": N_("satellite"),
    "mobile": N_("mobile"),
}
ROLLOUT_WORDS: Mapping[str, str] = {  # statuses of rollouts, and states of devices in them
    "planned": N_("planned"),
    "running": N_("running"),
    "paused": N_("paused"),
    "failed": N_("failed"),
    "rolling-back": N_("rolling back"),
    "aborted": N_("aborted"),
    "ended": N_("ended"),
    "done": N_("done"),
    "at-work": N_("at work"),
    "waiting": N_("waiting"),
    "owed": N_("owed"),
    "rolled-back": N_("rolled back"),
    "superseded": N_("superseded"),
    "not-done": N_("not done"),
}
