"""
Speaking to routers: what each kind can do, how one gets in, and one NAPALM session with errors of our own.

Deployments, polls and imports all come in through here. Nothing here knows what they are for.
"""
