"""Make it so: jobs, drivers, plans and rollouts."""
