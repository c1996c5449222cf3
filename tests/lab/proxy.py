"""A way to the database that can be cut: what a worker sees of a PostgreSQL that is restarted."""

import contextlib
import socket
import threading
from urllib.parse import quote

from django.db import connection


class Proxy:
    """
    Passes on, from a port of its own, all that is said to a server. `with` it; `cut` ends every connection and lets
    none be made any more until `serve` is called again. `passed_on`: how many connections there were.
    """

    def __init__(self, host, port):
        self._server = (host, port)
        self._port, self._listener, self._ends = 0, None, set()
        self._lock = threading.Lock()
        self.passed_on = 0

    def __enter__(self):
        self.serve()
        return self

    def __exit__(self, *_error):
        self.cut()

    def database_url(self):
        """The test's database, by way of here."""
        known = connection.settings_dict
        login = f"{quote(known['USER'])}:{quote(known['PASSWORD'])}"
        return f"postgres://{login}@127.0.0.1:{self._port}/{known['NAME']}"

    def serve(self):
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port, self._listener = listener.getsockname()[1], listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self):
        with self._lock:
            ends = {self._listener, *self._ends} - {None}
            self._listener, self._ends = None, set()
        for end in ends:
            # So that whoever waits for something of it wakes up.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near, _address = listener.accept()
                far = socket.create_connection(self._server)
                with self._lock:
                    if self._listener is not listener:
                        near.close()
                        far.close()
                        return
                    self._ends |= {near, far}
                    self.passed_on += 1
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while said := source.recv(65536):
            target.sendall(said)
        target.shutdown(socket.SHUT_WR)
