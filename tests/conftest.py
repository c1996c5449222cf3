"""Shared fixtures. The stack itself comes up in `dev/pytest_plugin.py`, before Django reads its settings."""
