"""A site that does not start says so, instead of being waited for."""

import subprocess
import sys

import pytest

from dev import processes

from .conftest import _wait_until_it_answers


def test_process_that_ended_is_told_although_another_one_lives():
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    lives = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with pytest.raises(AssertionError, match=r"ended; see the\.log"):
            _wait_until_it_answers(processes.free_port(None), [ended, lives], "the.log")
    finally:
        lives.communicate(b"\n")
