"""`python -m server` is the command `kb`."""

from server.cli import main

main()
