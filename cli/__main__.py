"""`python -m cli`: the same as `tuyen`, for a process that starts another in the lab."""

from cli.main import main

main()
