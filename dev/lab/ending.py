"""
Ending labs, and who may begin one. Without the virtual environment, because `make stop` has to work without it.
"""

import os
import shutil

from dev import paths, processes
from dev.errors import DevError
from dev.lab import network

FOLDER = paths.STACK / "lab"
TEST_PREFIX = "test-"


def require_root() -> None:
    """Raises DevError that says how to become root, unless this is root."""
    if os.geteuid() != 0:
        raise DevError(
            "The lab makes network namespaces, which only root may. Run it with: sudo make lab "
            "(in a container: as root, with --privileged)"
        )


def stop(name: str = "lab") -> bool:
    """End the lab of that name, whoever started it, and remove its folder. Returns whether anything ran."""
    wires = network.Wires(name)
    if network.namespaces(wires):
        require_root()
    ran = network.remove(wires)
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    return ran


def stop_all() -> list[str]:
    """End every lab of this checkout. Returns the names of those that ran."""
    return [path.name for path in sorted(FOLDER.glob("*")) if stop(path.name)]


def stop_left_over() -> list[str]:
    """End the labs of test runs that are no more: `test-<process>`. Returns their names."""
    left = [
        path.name
        for path in sorted(FOLDER.glob(f"{TEST_PREFIX}*"))
        if "python" not in processes.command_line(int(path.name.removeprefix(TEST_PREFIX)))
    ]
    for name in left:
        stop(name)
    return left
