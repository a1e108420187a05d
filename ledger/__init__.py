"""What happened: the only state of runs, rollouts, outages and the audit trail."""
