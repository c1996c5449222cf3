"""
What the tests of the PeeringDB client share: a clock that stands still until somebody sleeps, and a server that says
byte by byte what it is told to, for what HTTP libraries never send.
"""

import contextlib
import socket
import threading

from netbox_peering_manager.services.peeringdb.client import PeeringDBClient

NOW = 1_800_000_000.0


class Time:
    """Seconds since 1970 that pass by sleeping alone; `slept` lists how long each sleep was."""

    def __init__(self, now=NOW):
        self.now = now
        self.slept = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def client_of(server, time=None, **options):
    """A client of a sample server that waits for nothing, unless told to; its back-off is as long as it may be."""
    time = time or Time()
    return PeeringDBClient(
        **{
            "url": server.api_url,
            "dumps_url": server.dumps_url,
            "timeout_s": 5,
            "min_interval_s": 0,
            "requests_per_minute": 1000,
            "sleep": time.sleep,
            "clock": time.clock,
            "jitter": lambda low, high: high,
        }
        | options
    )


class RawServer:
    """
    A server on a loopback port that answers the n-th connection with the n-th of `answers`, and then closes it.

    An answer is bytes that are sent as they are, or a function that gets the socket. `requests` has what came, as
    text.
    """

    def __init__(self, *answers):
        self.requests = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._listener.close()
        self._thread.join(10)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self):
        return f"{self.url}/api"

    dumps_url = api_url

    def _run(self):
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.requests.append(connection.recv(65536).decode("latin-1"))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)


def http(body=b"", status="200 OK", **headers):
    """The bytes of an answer. Header names have underscores for hyphens; without Content_Length there is none."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body
