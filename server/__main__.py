"""`python -m server` is the command `kb`: like it, it runs nothing that lies in the working directory."""

import os
import sys

if not sys.flags.safe_path:
    sys.path[0] = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120

from server.cli.main import main

main()
