"""
A sample PeeringDB in a process of its own, for benchmarks and wherever the server must not share our interpreter.

    with running(size="full") as sample:
        ... sample.api_url ...
        sample.tell("POST", "next-day", changes=2000)
"""

import contextlib
import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass

from dev import paths
from dev.errors import DevError


@dataclass(frozen=True)
class Running:
    """A server that runs: its root URL and its process id."""

    url: str
    pid: int

    @property
    def api_url(self):
        return f"{self.url}/api"

    @property
    def dumps_url(self):
        return f"{self.url}/public"

    def tell(self, method, action, **options):
        """Do one of `control.py`'s actions. Returns what it says; urllib.error.HTTPError when it refuses."""
        request = urllib.request.Request(
            f"{self.url}/sample/{action}", json.dumps(options).encode() if options else None, method=method
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)


@contextlib.contextmanager
def running(*, size="town", seed=1, port=0):
    """Start a server, wait until it answers with everything prepared, and stop it at the end. Yields Running."""
    command = [sys.executable, "-m", "dev.sample_peeringdb", "--size", size]
    command += ["--seed", str(seed), "--port", str(port)]
    process = subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise DevError(f"The sample PeeringDB did not start (exit status {process.wait()}); see above.")
        yield Running(url, process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
