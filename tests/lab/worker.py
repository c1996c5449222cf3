"""
A worker's process of its own, to be killed: `python -m tests.lab.worker <lab> <job> <deployment> <phase> <what>`.

It runs the job as NetBox's worker does. When the deployment comes to the phase (as the log names it), it kills itself
with SIGKILL ("kill"), or says so on its output and waits for a line ("wait").
"""

import logging
import os
import signal
import sys


class AtPhase(logging.Handler):
    """Does it when the phase is logged."""

    def __init__(self, phase, what):
        super().__init__()
        self._phase, self._what = phase, what

    def emit(self, record):
        if not record.getMessage().endswith(f": {self._phase}"):
            return
        if self._what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        print("here", flush=True)  # noqa: T201
        sys.stdin.readline()


def main(lab, job, deployment, phase, what):
    import django

    django.setup()
    from django.conf import settings

    from core.models import Job

    from dev.lab.lab import load
    from netbox_peering_manager.jobs.deployments import DeploymentJob
    from netbox_peering_manager.services.deployment import pipeline
    from netbox_peering_manager.settings import PLUGIN

    from . import deploying

    settings.PLUGINS_CONFIG[PLUGIN].update(deploying.plugin_settings(load(lab)))
    pipeline.MARGIN_S = deploying.MARGIN_S
    pipeline.logger.setLevel(logging.INFO)
    pipeline.logger.addHandler(AtPhase(phase, what))
    DeploymentJob.handle(Job.objects.get(pk=int(job)), deployment=int(deployment))


if __name__ == "__main__":
    main(*sys.argv[1:])
