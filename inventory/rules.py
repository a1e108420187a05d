"""Every rule of the inventory's checks: a stable id, why it matters, how to mend it."""

from typing import NamedTuple

from inventory.language import N_


class Rule(NamedTuple):
    """Two message templates; the finding's values fill the braces."""

    why: str
    fix: str


RULES: dict[str, Rule] = {
    # files
    "file-missing": Rule(N_("the province has no {what}"), N_("write it, or copy it from a new 'tuyen init'")),
    "file-unreadable": Rule(N_("cannot be read: {reason}"), N_("mend the file or its permissions")),
    "misplaced-file": Rule(N_("nothing reads this file"), N_("call it {where} if it belongs to the province")),
    "file-empty": Rule(N_("the file holds nothing"), N_("fill it, or delete it")),
    "file-too-large": Rule(N_("the file is larger than {limit} MiB"), N_("split it; offices/ may hold many files")),
    "file-truncated": Rule(
        N_("the file ends in the middle of something ({problem})"), N_("restore its end, for example from git")
    ),
    "bad-encoding": Rule(N_("the byte {byte} is not UTF-8"), N_("save the file as UTF-8")),
    "bad-character": Rule(N_("the character {code} must not stand here"), N_("delete it")),
    "tab": Rule(N_("a tab stands where YAML wants spaces"), N_("indent with spaces")),
    "yaml-syntax": Rule(N_("this is not YAML: {problem}"), N_("look at this line and the one above it")),
    "yaml-alias": Rule(N_("anchors and aliases ('{name}') are not taken"), N_("put what is shared into a kind")),
    "yaml-tag": Rule(N_("the tag '{tag}' is not taken"), N_("delete it; values are plain text")),
    "yaml-too-deep": Rule(N_("more than {limit} levels lie inside each other"), N_("flatten it")),
    "not-a-mapping": Rule(N_("the file must be a mapping of keys to values"), N_("start it with 'key: value' lines")),
    "duplicate-key": Rule(
        N_("the key '{key}' stands here again, first in line {first}"), N_("keep one; the other would be lost")
    ),
    "key-not-text": Rule(N_("a key must be plain text"), N_("write 'key: value'")),
    # shapes
    "unknown-key": Rule(N_("no key '{key}' is known in {what}"), N_("write {near}")),
    "missing-key": Rule(N_("the key '{key}' is missing in {what}"), N_("add it")),
    "wrong-type": Rule(N_("{what} is {value}"), N_("write {expected}")),
    "unknown-value": Rule(N_("{what} is {value}, which is not known"), N_("write {near}")),
    "wrong-option": Rule(N_("the option '{option}' is {value}"), N_("write {expected}")),
    "bad-id": Rule(
        N_("'{value}' is no id"),
        N_("write for example '{near}': lower-case ASCII letters, digits, single hyphens, at most 63"),
    ),
    "bad-address": Rule(N_("{what}: '{value}' is no IPv4 address"), N_("write four numbers, for example 10.91.16.1")),
    "bad-prefix": Rule(
        N_("{what}: '{value}' is no IPv4 prefix"), N_("write its first address and length, for example {near}")
    ),
    "bad-listen": Rule(
        N_("{what}: '{value}' is no address of this machine with a port"), N_("write for example 0.0.0.0:8443")
    ),
    "bad-relay": Rule(N_("{what}: '{value}' is no mail server with a port"), N_("write for example {near}")),
    "bad-email": Rule(N_("{what}: '{value}' is no e-mail address"), N_("write for example tuyen@kiengiang.example")),
    "bad-mac": Rule(N_("{what}: '{value}' is no MAC address"), N_("write six pairs, for example 00:1d:aa:4b:2c:10")),
    "bad-bandwidth": Rule(N_("{what}: '{value}' is no bandwidth"), N_("write for example {near}")),
    "bad-duration": Rule(N_("{what}: '{value}' is no duration"), N_("write for example 500 ms, 30 s, 5 m or 1 h")),
    "bad-date": Rule(N_("{what}: '{value}' is no date"), N_("write year-month-day, for example {near}")),
    "bad-time": Rule(N_("{what}: '{value}' is no time of day"), N_("write hours and minutes, for example {near}")),
    "bad-host-name": Rule(N_("{what}: '{value}' is no host name"), N_("write for example kiengiang.example")),
    "bad-ssh-key": Rule(N_("{what}: this is no SSH public key"), N_("paste one line of a .pub file")),
    "unknown-time-zone": Rule(N_("no time zone is called '{value}'"), N_("write for example Asia/Ho_Chi_Minh")),
    # references
    "unknown-tier": Rule(N_("no tier '{name}' is declared in province.yaml"), N_("write {near}")),
    "unknown-unit": Rule(N_("no unit '{name}' is declared in units.yaml"), N_("write {near}")),
    "unknown-office": Rule(N_("no office '{name}' is declared"), N_("write {near}")),
    "unknown-kind": Rule(N_("no kind '{name}' is declared in kinds.yaml"), N_("write {near}")),
    "unknown-role": Rule(N_("no role '{name}' is declared in kinds.yaml"), N_("write {near}")),
    "unknown-device-type": Rule(N_("no device type '{name}' is in device-types/"), N_("write {near}")),
    "unknown-device": Rule(N_("no device '{name}' is declared"), N_("write {near}")),
    "unknown-service": Rule(N_("no service '{name}' is declared in services.yaml"), N_("write {near}")),
    "unknown-module": Rule(N_("no probe module is called '{name}'"), N_("write {near}")),
    "unknown-probe": Rule(N_("no probe is called '{name}'"), N_("write {near}")),
    "bad-selector": Rule(N_("{problem}"), N_("mend the selector")),
    "unknown-secret": Rule(
        N_("no secret '{name}' is in secrets.yaml"), N_("add it with 'ansible-vault edit', or write {near}")
    ),
    "kind-circle": Rule(N_("the kinds extend each other in a circle: {circle}"), N_("break it at one of them")),
    "service-circle": Rule(N_("the services need each other in a circle: {circle}"), N_("break it at one of them")),
    # units
    "no-root-unit": Rule(N_("no unit of the top tier '{tier}' is declared"), N_("add the province's own unit")),
    "wrong-unit-tier": Rule(
        N_("the parent '{parent}' is of tier '{tier}'"),
        N_(
            "a unit's parent is of the tier above, '{expected}', for as long as that exists: end those units by 'until'"
        ),
    ),
    "parent-ended": Rule(
        N_("its parent '{parent}' exists no longer from {day} on"),
        N_("add who is since then to 'parent:', '{day}: ID'"),
    ),
    "root-unit-with-parent": Rule(N_("a unit of the top tier '{tier}' has a parent"), N_("delete the parent")),
    "duplicate-code": Rule(
        N_("the code {code} belongs to '{other}' too, {when}"),
        N_("give each unit its own code, or dates"),
    ),
    "dates-out-of-order": Rule(N_("{what}: {later} stands before {earlier}"), N_("put the dates in order of time")),
    "unit-ended": Rule(
        N_("its unit '{unit}' no longer exists since {until}"), N_("name the unit that it belongs to now: {into}")
    ),
    # offices, kinds and addresses
    "no-root-office": Rule(N_("the root office '{name}' is not declared"), N_("write {near}")),
    "root-with-uplink": Rule(N_("the root office must have no uplink parent"), N_("delete it, or choose another root")),
    "no-unit": Rule(N_("no unit is called like the office '{office}'"), N_("write {near}, or add 'unit:'")),
    "no-kind": Rule(N_("no kind is named for {offices}"), N_("add 'kind:' to the top of the file, or to each office")),
    "no-uplink": Rule(
        N_("no way to the network is named for {offices}"),
        N_("add 'parent:' to the top of the file, or 'uplink: {{parent: OFFICE}}' to each office"),
    ),
    "incomplete-link": Rule(N_("the {link} has no {missing}"), N_("add it here or to the kind '{kind}'")),
    "uplink-circle": Rule(
        N_("the uplinks run in a circle: {circle}"), N_("lead one of them towards the root '{root}'")
    ),
    "wrong-parent-tier": Rule(
        N_("its uplink leads down to '{parent}' of tier '{tier}'"), N_("lead it to an office of the same tier or above")
    ),
    "backup-same-way": Rule(
        N_("the backup goes to the same office by the same provider as the uplink"),
        N_("name another provider or parent"),
    ),
    "duplicate-office": Rule(N_("the office '{office}' is declared in {other} too"), N_("ids are unique: rename one")),
    "duplicate-number": Rule(
        N_("the number {number} is taken by '{other}'"), N_("numbers are permanent: take a free one, {free}")
    ),
    "no-prefix": Rule(N_("the office has no addresses"), N_("add 'number:' (free: {free}) or 'prefix:'")),
    "number-outside-block": Rule(N_("number {number} lies outside the block {block}"), N_("take a free one, {free}")),
    "unaligned-number": Rule(N_("a /{length} cannot start at number {number}"), N_("take a multiple of {step}")),
    "prefix-outside-plan": Rule(N_("{prefix} lies outside the address plan"), N_("choose one inside {networks}")),
    "prefix-overlap": Rule(N_("{prefix} overlaps {other_prefix} of '{other}'"), N_("choose one that is free")),
    "block-overlap": Rule(N_("the block {block} overlaps {other_block} of {other}"), N_("choose one that is free")),
    "no-gateway": Rule(N_("no device of the office is its gateway"), N_("set 'gateway: true' on its router")),
    "two-gateways": Rule(N_("'{first}' and '{second}' are both gateways"), N_("keep one")),
    "incomplete-device": Rule(N_("the device '{device}' has no {missing}"), N_("add it; offices take it from here")),
    "foreign-device": Rule(
        N_("the device '{device}' has no {missing}, and the kind '{kind}' has no such device"),
        N_("add it; or if one of the kind's is meant, write {near}"),
    ),
    "nothing-absent": Rule(
        N_("the kind '{kind}' has no device '{device}' to be absent"), N_("delete the entry, or write {near}")
    ),
    "duplicate-device": Rule(
        N_("two devices of the office are called '{device}'"), N_("rename one, or change a count")
    ),
    "host-outside-prefix": Rule(
        N_("host {host} of '{device}' does not fit into a /{length}"),
        N_("take 1 to {last}, or a shorter prefix length"),
    ),
    "duplicate-host": Rule(
        N_("'{device}' has the same address as '{other}': host {host}"), N_("give each device its own host")
    ),
    "address-outside-prefix": Rule(
        N_("{address} lies outside the office's prefix {prefix}"), N_("choose one inside it")
    ),
    "reserved-address": Rule(
        N_("{address} is the first or last address of {prefix}, which no device may have"), N_("choose one between")
    ),
    "duplicate-address": Rule(N_("{address} belongs to '{other}' too"), N_("give each device its own address")),
    "duplicate-serial": Rule(N_("the serial {serial} belongs to '{other}' too"), N_("look at the label of both")),
    "duplicate-mac": Rule(N_("the MAC address {mac} belongs to '{other}' too"), N_("read it again from both")),
    "probe-without-address": Rule(N_("'{device}' has probes but no address"), N_("add 'host:' or 'address:'")),
    "warranty-before-purchase": Rule(
        N_("the warranty ends on {warranty}, before the purchase on {bought}"), N_("mend one of the dates")
    ),
    "duplicate-device-type": Rule(N_("the slug '{slug}' is in {other} too"), N_("slugs are unique: change one")),
    # the status page
    "incomplete-certificate": Rule(
        N_("the status page has a {there} and no {missing}"), N_("name both files, or neither")
    ),
    "page-in-the-open": Rule(
        N_("the status page would go over the network unencrypted: it has no certificate, and listens on {listen}"),
        N_("name its 'certificate' and its 'key', or listen on 127.0.0.1, behind a proxy with TLS"),
    ),
    # alerts and maintenance
    "nobody-told": Rule(
        N_("tuyen is to tell people of what is out, but no operator or approver has an address"),
        N_("add 'notify: [mailto:NAME@DOMAIN]' to who is on call, or write 'by: nobody' under 'alerts'"),
    ),
    "never-maintained": Rule(
        N_("no day from {first} to {last} is one on which this work begins"), N_("change its days, weeks or dates")
    ),
    # the schedule
    "backup-in-git": Rule(
        N_("backups hold keys, and '{folder}' lies in the province's folder, which is kept in git"),
        N_("choose a folder outside, such as /var/backups/tuyen, or one below .tuyen/"),
    ),
    # jobs
    "unknown-variable": Rule(N_("no job has a variable '{name}'"), N_("write {near}")),
    "nothing-to-revert": Rule(
        N_(
            "a job whose risk is cut-off says under 'revert' what the device puts back by itself, and this one does not"
        ),
        N_("name under it 'paths' (files and folders, such as /etc/ssh), 'commands', or both"),
    ),
    # rollouts
    "duplicate-rollout": Rule(N_("the rollout '{name}' is in {other} too"), N_("names are unique: rename one file")),
    "nothing-selected": Rule(N_("'{select}' chooses none of {whole}"), N_("mend the selector")),
    "bad-wave": Rule(N_("the wave takes {said}"), N_("write exactly one of {words}")),
    "canary-not-selected": Rule(
        N_("the canary '{device}' is not among the devices that 'select' chooses"),
        N_("widen 'select', or write {near}"),
    ),
    "duplicate-canary": Rule(N_("'{device}' is a canary of wave {number} already"), N_("keep one")),
    "wave-after-rest": Rule(N_("nothing is left for the waves after 'rest: true'"), N_("put it last")),
    "wave-without-districts": Rule(
        N_("none of the devices that 'select' chooses lies in a district, so this wave takes nothing"),
        N_("write waves of 'percent: 20' instead, as many as are to go one after the other"),
    ),
    "waves-incomplete": Rule(
        N_("the waves leave out devices that 'select' chooses"), N_("end them with '- {{rest: true}}'")
    ),
    "no-window": Rule(
        N_("none of the windows is for {devices}"), N_("add one that chooses them, or one without 'select'")
    ),
    "never-open": Rule(
        N_("the windows of {devices} lie within the working hours, so that nothing could ever be done"),
        N_("move the windows, or write 'working_hours: ignored'"),
    ),
    # holidays
    "working-weekday": Rule(
        N_("{day} is neither a Saturday nor a Sunday, so offices are open anyway"),
        N_("mend the day, or delete 'working: true'"),
    ),
    # people
    "shared-ssh-key": Rule(N_("'{other}' has the same SSH key"), N_("give everyone a key of their own")),
    # workbooks
    "workbook-unreadable": Rule(
        N_("this is no Excel workbook, or it is damaged: {reason}"), N_("save it again as .xlsx")
    ),
    "workbook-encrypted": Rule(N_("the workbook is protected by a password"), N_("save a copy without one")),
    "workbook-old-format": Rule(N_("this is a workbook of the old kind (.xls)"), N_("save it as .xlsx")),
    "workbook-too-large": Rule(
        N_("{what} is larger than {limit}"), N_("split the workbook; delete what is not needed")
    ),
    "workbook-without-table": Rule(
        N_("no sheet has a row of headings for devices or offices"),
        N_("add headings, for example {headings}; 'tuyen inventory export xlsx' writes them all"),
    ),
    "sheet-skipped": Rule(
        N_("no row of headings is found, so nothing of this sheet is taken"), N_("add headings, for example {headings}")
    ),
    "sheet-missing-column": Rule(N_("no column says which {what} a row is about"), N_("add one: {headings}")),
    "sheet-unknown-column": Rule(
        N_("the column '{heading}' is not known and not taken"), N_("write {near}, or ignore this")
    ),
    "sheet-duplicate-column": Rule(
        N_("the column '{heading}' says the same as column {first}"), N_("keep one of them")
    ),
    "sheet-merged": Rule(
        N_("the cells {cells} are merged, so their rows are not taken"), N_("unmerge them and fill each cell")
    ),
    "sheet-formula": Rule(
        N_("the formula {formula} has no stored value"), N_("open and save it in Excel, or paste the value")
    ),
    "sheet-error": Rule(N_("the cell holds the error {value}"), N_("write the value itself")),
    "sheet-bad-date": Rule(N_("'{value}' is no date"), N_("write 31/12/2026 or 2026-12-31")),
    "sheet-date-for-text": Rule(
        N_("Excel has turned what was typed into the date or time {value}"),
        N_("format the cell as text and type it again"),
    ),
    "sheet-long-number": Rule(
        N_("Excel keeps 15 digits of a number, so {value} may not be what was typed"),
        N_("format the cell as text and type it again"),
    ),
    "sheet-follows": Rule(
        N_("{column} is '{value}' here but '{known}' in the inventory; it follows from '{follows}'"),
        N_("change that instead"),
    ),
    "sheet-emptied": Rule(
        N_("{column} is empty here but '{known}' in the inventory, which stays"), N_("to remove it, edit {where}")
    ),
    "sheet-moved": Rule(
        N_("'{device}' cannot become '{other}': the id of a device holds its name and office, and is permanent"),
        N_("for a machine that was moved, add a row for the new place, and 'absent: true' in the old office's file"),
    ),
    "sheet-new-office": Rule(
        N_("no office '{name}' is declared, and an import makes none"), N_("write {near}, or declare it in offices/")
    ),
    "sheet-incomplete-device": Rule(
        N_("a new device needs {missing}"), N_("fill it in, or give the id of a device that exists")
    ),
    "sheet-duplicate-row": Rule(N_("'{name}' was in row {first} of '{sheet}' already"), N_("keep one of the rows")),
    "sheet-ambiguous": Rule(N_("'{value}' may be any of {names}"), N_("write the id of the one that is meant")),
    "sheet-no-effect": Rule(
        N_("{attribute} of '{name}' would still be '{value}' after the change"), N_("change it by hand in {file}")
    ),
    "file-not-editable": Rule(
        N_("this file cannot be changed without losing its layout"), N_("write {changes} by hand")
    ),
    "file-changed": Rule(N_("the file was changed by someone else meanwhile"), N_("import again")),
    # drift
    "drift-serial": Rule(
        N_("'{device}' has the serial {real}, but {declared} is declared"),
        N_("if the machine was exchanged, declare the new one; else look which machine stands there"),
    ),
    "drift-mac": Rule(
        N_("no interface of '{device}' has the MAC address {declared}; it has {real}"),
        N_("declare the one that carries its address; else look which machine stands there"),
    ),
    "drift-host-name": Rule(
        N_("'{device}' calls itself '{real}'"),
        N_("name it '{declared}' or '{id}', or look which machine answers there"),
    ),
    "drift-address": Rule(
        N_("'{device}' does not have the address {declared}; it has {real}"),
        N_("mend its network settings, or declare its address"),
    ),
    "drift-platform": Rule(
        N_("'{device}' runs {real}, but the platform '{declared}' is declared"), N_("declare its platform")
    ),
    "drift-os-ended": Rule(
        N_("{os} on '{device}' has had no security updates since {ended}"), N_("upgrade it to a newer release")
    ),
}
