"""Run NetBox with the stack's configuration: its commands, its web server and its worker."""

import hashlib
import os
import urllib.error
import urllib.request

from dev import paths, peeringdb, processes
from dev.errors import DevError
from dev.progress import run, tail

ADMIN = "admin"
CHECKOUT_HEADER = "X-Local-Stack"
CHECKOUT = hashlib.sha256(str(paths.ROOT).encode()).hexdigest()[:12]
PREFERRED_PORT = 8000
START_SECONDS = 120
PORT_ATTEMPTS = 5

WEB = processes.Process("gunicorn", mark=f"{paths.PYTHON} -m gunicorn dev.wsgi:application")
WORKER = processes.Process("rqworker", mark=f"{paths.PYTHON} -m dev.inside worker")


def environment(*, database=None, host_only=False):
    """
    The environment in which any program finds this stack's NetBox; `database` overrides the serving one.
    """
    path = [str(paths.VENV / "bin"), os.environ.get("PATH", "")]
    values = os.environ | {
        "NETBOX_CONFIGURATION": "dev.configuration",
        "NETBOX_ROOT": str(paths.NETBOX_ROOT),
        "DJANGO_SETTINGS_MODULE": "netbox.settings",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(paths.ROOT), os.environ.get("PYTHONPATH")])),
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(paths.VENV),
    }
    chosen = {"NPM_DATABASE": database, "NPM_HOST_ONLY": "1" if host_only else None}
    return values | peeringdb.environment() | {name: value for name, value in chosen.items() if value}


def inside(*tasks, database=None, host_only=False):
    """Run tasks of `inside.py` in one NetBox process; starting one costs seconds, so they share it."""
    run(
        [paths.PYTHON, "-m", "dev.inside", *tasks],
        f"netbox-{'-'.join(tasks)}",
        env=environment(database=database, host_only=host_only),
        what=f"NetBox: {', '.join(tasks)}",
    )


def start_worker():
    """Start the worker for all of NetBox's queues and the plugin's, unless it runs."""
    if WORKER.pid() is None:
        WORKER.start([paths.PYTHON, "-m", "dev.inside", "worker"], env=environment())


def start_web(port):
    """Start the web server, preferably on this port, and wait for its login page. Returns the port."""
    preferred = port or PREFERRED_PORT
    if WEB.pid() and answers(preferred):
        return preferred
    WEB.stop()
    for _attempt in range(PORT_ATTEMPTS):
        chosen = processes.free_port(preferred)
        WEB.start(_gunicorn(chosen), env=environment())
        if processes.wait_until(lambda: answers(chosen), WEB, seconds=START_SECONDS, what="NetBox"):  # noqa: B023
            return chosen
        if not WEB.port_was_taken():
            break
        preferred = None
    raise DevError(
        f"NetBox does not start. The end of {WEB.log}:\n{tail(WEB.log)}\n"
        "Ask NetBox itself with: python -m dev shell -- netbox check"
    )


def _gunicorn(port):
    command = f"{paths.PYTHON} -m gunicorn dev.wsgi:application --workers 2 --threads 4 --timeout 120"
    return [*command.split(), "--bind", f"{processes.HOST}:{port}", "--access-logfile", "-"]


def base_url(port):
    return f"http://{processes.HOST}:{port}"


def answers(port):
    """Whether this checkout's NetBox serves its login page there."""
    try:
        with urllib.request.urlopen(f"{base_url(port)}/login/", timeout=30) as response:
            return response.status == 200 and response.headers.get(CHECKOUT_HEADER) == CHECKOUT
    except (urllib.error.URLError, OSError):
        return False


def stop():
    """Stop the web server, the worker and the sample PeeringDB. Returns the names of those that ran."""
    return [process.name for process in (WEB, WORKER, peeringdb.SAMPLE) if process.stop()]
