"""Only what the stack started is seen as running, and only that is stopped."""

import socket
import subprocess
import sys
import time

import pytest

from dev import paths, processes
from dev.errors import DevError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def stack(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STACK", tmp_path)
    for name in ("RUN", "LOG", "NETBOX_ROOT"):
        monkeypatch.setattr(paths, name, tmp_path / name.lower())
    paths.make_folders()
    return tmp_path


@pytest.fixture
def process(stack):
    """A harmless process, known by a mark in its command line."""
    made = processes.Process("sleeper", mark=f"mark-{stack}")
    yield made
    made.stop()


def start(process):
    process.start([*SLEEP, process.mark])
    deadline = time.monotonic() + 5
    while process.pid() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return process.pid()


def test_started_process_is_known_by_its_own_pid(process):
    pid = start(process)
    assert process.mark in processes.command_line(pid)


def test_stop_ends_it_and_says_so(process):
    pid = start(process)
    assert process.stop() is True
    assert processes.command_line(pid) == ""
    assert not process.pid_file.exists()


def test_stop_twice_says_that_nothing_ran(process):
    start(process)
    process.stop()
    assert process.stop() is False


def test_pid_that_now_belongs_to_a_stranger_is_neither_trusted_nor_stopped(process):
    stranger = subprocess.Popen(SLEEP)
    try:
        process.pid_file.write_text(str(stranger.pid))
        assert process.pid() is None
        assert process.stop() is False
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "no number", "999999999"])
def test_useless_pid_file_counts_as_not_running(process, content):
    process.pid_file.write_text(content)
    assert process.pid() is None


def test_pid_file_of_the_program_itself_is_used_when_ours_was_deleted(process, stack):
    pid = start(process)
    own = stack / "own.pid"
    own.write_text(f"{pid}\n/data\n")
    process.pid_file.unlink()
    found = processes.Process("sleeper", mark=process.mark, own_pid_file=own)
    assert found.pid() == pid
    found.stop()


def test_program_that_dies_is_reported_so_that_another_port_can_be_tried(process):
    process.start([sys.executable, "-c", "pass", process.mark])
    assert processes.wait_until(lambda: False, process, seconds=20, what="It") is False
    assert not process.port_was_taken()


def test_port_that_somebody_took_a_moment_earlier_is_recognised(process):
    with socket.socket() as taken:
        taken.bind((processes.HOST, 0))
        taken.listen()
        bind = f"import socket; socket.socket().bind({taken.getsockname()!r})"
        process.start([sys.executable, "-c", bind, process.mark])
        assert processes.wait_until(lambda: False, process, seconds=20, what="It") is False
    assert process.port_was_taken()


def test_program_that_never_answers_is_reported_with_its_log(process):
    process.start(
        [
            sys.executable,
            "-c",
            "print('its last words', flush=True); import time; time.sleep(60)",
            process.mark,
        ]
    )
    start_of_log = time.monotonic()
    while "last words" not in process.log.read_text() and time.monotonic() - start_of_log < 5:
        time.sleep(0.01)
    with pytest.raises(DevError, match="its last words"):
        processes.wait_until(lambda: False, process, seconds=0.2, what="It")


def test_preferred_port_is_taken_when_it_is_free():
    port = processes.free_port()
    assert processes.free_port(port) == port


def test_taken_port_is_left_alone():
    with socket.socket() as taken:
        taken.bind((processes.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert processes.free_port(port) != port
