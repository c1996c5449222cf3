"""
The one error of the local stack: something is missing or broken, and the operator can do something about it.
"""


class DevError(Exception):
    """
    A failure with its remedy.

    The message names what is missing and ends with the command that puts it right; the command line prints it
    without a traceback and exits with 1. Everything else that is raised is a bug in this tool and keeps its
    traceback.
    """
