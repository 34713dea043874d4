"""`python -m server` is the command `kb`."""

from server.cli.main import main

main()
