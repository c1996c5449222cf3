"""Background jobs, by area. Each is thin: it parses what it was given, calls one service, reports."""

from . import deployments, drift, fleet, monitoring, peeringdb  # noqa: F401  (registers the system jobs)
