"""tuyen's own alerts, where no Alertmanager runs: the same names, words, groups and inhibition as those of the kit.

`sources` and `signs` tell what is wrong now, `course` (pure) who is to be told what and when, `outbox` what was told;
`alerting` carries it out. Nothing is told twice or lost over a restart, as the ledger knows it before anybody else.
"""
