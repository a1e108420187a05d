"""What people sign: how available everything was in a period, and how old the equipment is.

`figures` holds the frozen values that every document shows; `uptime` and `lifecycle` work them out, without input,
output or floats, from what `recorded` found in the ledger; `items` is their form for programs, `brief` the one for
e-mails, and `documents` writes workbooks, PDF and HTML.
"""
