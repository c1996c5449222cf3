"""A router whose SSH server answers, but then not the login: a timeout, and not a login that is refused."""

import socket
import threading

import paramiko
import pytest
from napalm.base.exceptions import ConnectTimeoutError

from napalm_frr.frr import FRRDriver


class Undecided(paramiko.ServerInterface):
    """A server that looks a password up in a place that does not answer."""

    def __init__(self, released):
        self.released = released

    def get_allowed_auths(self, username):
        return "password"

    def check_auth_password(self, username, password):
        self.released.wait(20)
        return paramiko.AUTH_FAILED


@pytest.fixture
def port():
    released, transports = threading.Event(), []

    def serve(listening):
        transport = paramiko.Transport(listening.accept()[0])
        transports.append(transport)
        transport.add_server_key(paramiko.ECDSAKey.generate())
        transport.start_server(server=Undecided(released))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        released.set()
        thread.join()
    for transport in transports:
        transport.close()


def test_login_that_is_not_answered_is_a_timeout(port):
    driver = FRRDriver("127.0.0.1", "root", "Hush-4711", 1, {"port": port, "ssh_strict": False})
    with pytest.raises(ConnectTimeoutError, match=r"does not answer the login within 1 s") as late:
        driver.open()
    assert "Hush-4711" not in str(late.value)
