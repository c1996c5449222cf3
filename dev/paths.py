"""
Where things lie. Every path of the local stack is made here, so that `make clean` and `.gitignore` know them
all.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

STACK = ROOT / ".stack"
RUN = STACK / "run"  # one pid file per started process
LOG = STACK / "log"  # one log per process and per long command
NETBOX_ROOT = STACK / "netbox"
LOCK = STACK / "lock"
STATE = STACK / "state.json"

PLUGIN = ROOT / "netbox_peering_manager"
CONSTRAINTS = DEV / "constraints.txt"
REQUIREMENTS = DEV / "requirements.txt"
BASELINE = DEV / "baseline"


def make_folders():
    """
    Make the stack's folders.

    `.stack` stays traversable for everyone because the database server runs as another user; every file in it
    that holds a secret is written with mode 0600.
    """
    for folder in (
        STACK,
        RUN,
        LOG,
        *(NETBOX_ROOT / name for name in ("conf", "media", "reports", "scripts")),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    STACK.chmod(0o755)
