"""What people sign: how available everything was in a period, and how old the equipment is.

`figures` holds the frozen values that every document shows; `uptime` and `lifecycle` work them out, without input,
output or floats; `words` says figures as people read them; `documents` writes workbooks, PDF and HTML.
"""
