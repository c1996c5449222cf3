"""
A worker's process of its own that adds sessions and is killed: `python -m tests.sessions.adding <job> <arguments>`.

The arguments are those of the job, as JSON. In the second batch, with its rows inserted and nothing committed, it kills
itself with SIGKILL.
"""

import json
import os
import signal
import sys

# Sessions in one transaction.
BATCH = 2


def main(job, arguments):
    import django

    django.setup()

    from core.models import Job

    from netbox_peering_manager.jobs.sessions import AddSessionsJob
    from netbox_peering_manager.services.provisioning import create_bulk

    create_bulk.BATCH = BATCH
    recorded = create_bulk._Attempt.record
    batches = []

    def record(self):
        recorded(self)
        batches.append(self)
        if len(batches) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    create_bulk._Attempt.record = record
    AddSessionsJob.handle(Job.objects.get(pk=int(job)), **json.loads(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
