"""
Write a pid file, become the wanted user, and turn into the program.

`launch.py <pid file> <uid:gid or -> <program> [arguments]`. Run by `processes.py` as a file of its own, with
the standard library only, because the program replaces this process: its pid stays, so that the pid file is
right from before the program's first instruction on.
"""

import os
import sys


def main(pid_file, user, *command):
    temporary = f"{pid_file}.{os.getpid()}"
    with open(temporary, "w") as output:
        output.write(str(os.getpid()))
    os.replace(temporary, pid_file)
    if user != "-":
        become(*(int(part) for part in user.split(":")))
    os.execvp(command[0], command)  # noqa: S606  (no shell is wanted)


def become(uid, gid):
    """Give up root for good: groups first, since a user who is no longer root may not change them."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
