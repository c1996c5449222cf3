"""The command line of the local stack: `python -m dev <command>`; `make` calls it."""

import sys

if sys.version_info < (3, 12):  # noqa: UP036  (this very file is what says so)
    sys.exit(
        "Python 3.12 or newer is missing. "
        "Install it with: apt-get install python3 (Debian 13 or newer), or: pyenv install 3.12"
    )

from dev.commands import main

sys.exit(main())
