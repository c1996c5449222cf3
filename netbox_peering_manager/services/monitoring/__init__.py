"""Watching sessions: what routers say becomes states, transitions and samples, and these become pages."""
