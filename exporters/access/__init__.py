"""Who looks: login, sessions and tokens for the status page and its interface for programs."""
