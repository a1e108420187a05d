"""What was not up, from when until when, and whose fault it was.

`standing` extends the states of devices and offices to links and services; `blame` finds causes; `course` turns what is
seen from moment to moment into intervals; `days` counts; `keeping` does all of it for a watch, with the ledger.
"""
