"""The stack's NetBox with its metrics switched on, for a process of its own."""

from dev.configuration import *  # noqa: F403

METRICS_ENABLED = True
