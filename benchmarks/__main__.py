"""`python -m benchmarks [SIZE …]`: run the benchmarks, with other numbers of sessions if any are given."""

import argparse
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import django

RESULTS = Path(__file__).with_name("results.json")
SIZES = (100, 1000, 5000)


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    _ensure_template()
    django.setup()
    from benchmarks import report, work

    with scratch_database():
        results = work.run(tuple(options.sizes) or SIZES, progress=_say)
    print(report.table(results))
    RESULTS.write_text(report.as_json(results))
    broken = report.broken_limits(results)
    for message in broken:
        print(f"Too much: {message}", file=sys.stderr)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, help="numbers of sessions (default: 100 1000 5000)")
    return parser


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _ensure_template() -> None:
    """On the local stack, make the migrated database that the scratch one is cloned from, if it is not there."""
    if os.environ.get("NETBOX_CONFIGURATION") == "dev.configuration":
        from dev import databases, redis, stack

        # Queues of its own: the serving NetBox's worker would take the jobs from them, and look in another database.
        os.environ.setdefault("NPM_REDIS_SLOT", "0" if redis.known().given else "1")
        os.environ.setdefault("NPM_TEST_DB", f"{databases.test_prefix()}bench_{os.getpid()}")
        stack.ensure_template()


@contextmanager
def scratch_database():
    """A database of our own, dropped at the end, whatever happened; what is mailed meanwhile goes nowhere."""
    from django.db import connection
    from django.test import override_settings

    own = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        # Not Django's test environment: it has each template tell what it was rendered with, which is up to a tenth of
        # the time of a page.
        with override_settings(
            ALLOWED_HOSTS=["testserver"], EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"
        ):
            yield
    finally:
        connection.creation.destroy_test_db(own, verbosity=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
