"""Documents that reports are read in: what is said is a `Document` of typed values; a file a format writes it down.

The same report gives the same bytes: no clock, no random id, nothing of the machine but its serif typeface.
"""
