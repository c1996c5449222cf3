"""
The private Redis: own port, own password, nothing kept on disk.

`REDIS_URL` names a server to use instead; then nothing is started.
"""

import os
import re
import socket
import ssl
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from dev import paths, processes, programs, state
from dev.errors import DevError
from dev.progress import step, tail

FOLDER = paths.STACK / "redis"
CONFIG = FOLDER / "redis.conf"
PROCESS = processes.Process("redis", mark=str(CONFIG))
START_SECONDS = 20
PORT_ATTEMPTS = 5
# Each test process has databases of its own (configuration.py), so that two runs do not see each other's
# queues.
DATABASES = 8192
# `set-proc-title`, by which the process keeps a command line that we can recognise, came with 6.2.
MINIMUM = (6, 2)


@dataclass(frozen=True)
class Server:
    """Where a Redis answers. `database` is the first of the two that NetBox uses."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    given: bool = False  # by REDIS_URL: not ours to stop


def ensure():
    """The Redis to use, running: the one of REDIS_URL, else the private one, started when it is down."""
    state.ensure_secrets()
    server = known()
    if server.given:
        check_given(server)
        return server
    if PROCESS.pid() and answers(server):
        return server
    programs.ensure(programs.FOR_REDIS)
    check_version(programs.version_of(programs.find("redis-server")))
    with step("Starting Redis"):
        return _start(server)


def known():
    """The server as it is remembered or given, without looking whether it answers."""
    if url := os.environ.get("REDIS_URL"):
        return parse_url(url)
    remembered = state.load()
    return Server(
        processes.HOST, remembered.get("redis_port", 0), password=remembered.get("redis_password", "")
    )


def stop():
    """Stop the private Redis. Returns whether it was running."""
    return PROCESS.stop()


def parse_url(url):
    """
    A Server from redis://[user[:password]@]host[:port][/database] or rediss://. Raises DevError for others.
    """
    parts = urlsplit(url)
    database = parts.path.strip("/") or "0"
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or not database.isdigit():
        raise DevError("REDIS_URL must look like redis://[user:password@]host[:port][/database].")
    return Server(
        host=parts.hostname,
        port=parts.port or 6379,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=int(database),
        tls=parts.scheme == "rediss",
        given=True,
    )


def check_version(line):
    """Refuse a redis-server that is too old; `line` is what `redis-server --version` prints."""
    found = re.search(r"v=(\d+)\.(\d+)", line)
    if not found or tuple(map(int, found.groups())) < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        raise DevError(
            f"redis-server {wanted} or newer is needed, this is: {line or 'unknown'}. "
            f"Install it with: {programs.install_line(['redis-server'])}, or name a server in REDIS_URL."
        )


def answers(server, timeout=2.0):
    """Whether the server answers PING with this password."""
    try:
        with _connect(server, timeout) as connection:
            if server.password:
                login = [server.username, server.password] if server.username else [server.password]
                connection.sendall(_command("AUTH", *login))
            connection.sendall(_command("PING"))
            return _read_until(connection, b"+PONG")
    except OSError:
        return False


def check_given(server):
    """Check that the server of REDIS_URL answers."""
    if not answers(server, timeout=5.0):
        raise DevError(
            f"REDIS_URL: no Redis answers at {server.host}:{server.port} with that password. "
            "Correct the variable, or leave it out to use a private Redis: unset REDIS_URL"
        )


def _start(server):
    """Start the server on the port that it had before, else on any free one."""
    PROCESS.stop()
    FOLDER.mkdir(parents=True, exist_ok=True)
    port = server.port or None
    for _attempt in range(PORT_ATTEMPTS):
        candidate = replace(server, port=processes.free_port(port))
        state.update(redis_port=candidate.port)
        state.write_private(CONFIG, config_text(candidate))
        PROCESS.start([programs.find("redis-server"), CONFIG])
        if processes.wait_until(lambda: answers(candidate), PROCESS, seconds=START_SECONDS, what="Redis"):  # noqa: B023
            return candidate
        if not PROCESS.port_was_taken():
            break
        port = None
    raise DevError(
        f"Redis does not start. The end of {PROCESS.log}:\n{tail(PROCESS.log)}\nStart over with: make clean"
    )


def config_text(server):
    """The configuration file of the private server."""
    return "\n".join(
        (
            f"bind {server.host}",
            f"port {server.port}",
            f"requirepass {server.password}",
            f"databases {DATABASES}",
            f"dir {FOLDER}",
            'save ""',
            "appendonly no",
            "daemonize no",
            "set-proc-title no",
            "",
        )
    )


def _connect(server, timeout):
    connection = socket.create_connection((server.host, server.port), timeout=timeout)
    if server.tls:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=server.host)
    return connection


def _command(*words):
    """A Redis command in the protocol's array form, which needs no quoting."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _read_until(connection, wanted):
    """Whether the wanted answer arrives before an error or the end of the connection."""
    received = b""
    while wanted not in received:
        part = connection.recv(1024)
        if not part or b"-" in part[:1]:
            return False
        received += part
    return True
