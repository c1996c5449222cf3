"""The commands of `python -m dev`, each a function; the docstring's first line is its help."""

import argparse
import functools
import os
import shutil
import subprocess
import sys

from dev import checks, ci, netbox, package, paths, programs, stack, venv
from dev.errors import DevError
from dev.lab import ending
from dev.progress import say


def up(_options):
    """Set everything up: .venv, PostgreSQL, Redis, the database with the plugin migrated."""
    venv.ensure()
    stack.ensure_migrated()


def prepare_tests(_options):
    """What pytest needs, called by pytest itself; prints the name of the template database."""
    print(stack.ensure_template())


def shell(options):
    """Run a command with the stack's environment: python -m dev shell -- netbox nbshell."""
    venv.ensure()
    stack.ensure_shell()
    command = options.arguments or [os.environ.get("SHELL", "/bin/sh")]
    return run(command)


def serve(_options):
    """Start NetBox and its worker in the background, and print the address and the login."""
    venv.ensure()
    print_login(stack.serve())


def demo(_options):
    """
    Set everything up and run the main job on sample data: a rendered configuration, checked by FRR's parser.
    """
    venv.ensure()
    programs.ensure(programs.FOR_DEMO)
    running = stack.serve()
    try:
        from dev.demo import run as run_demo
    except ModuleNotFoundError as error:
        if error.name != "dev.demo":
            raise
        raise DevError("dev/demo.py is missing. Restore it with: git checkout dev/demo.py") from error
    return run_demo(running)


def test(options):
    """Run the tests on all cores; further arguments go to pytest."""
    venv.ensure()
    # Whoever is not root cannot run the lab's tests either, and reads so in their skips.
    programs.ensure([*programs.FOR_TESTS, *(programs.FOR_LAB if os.geteuid() == 0 else ())])
    workers = str(max(2, os.cpu_count() or 1))
    return run(["python", "-m", "pytest", "-n", workers, *(options.arguments or ["tests"])])


def bench(options):
    """Run the benchmarks; they print a table and write benchmarks/results.json."""
    venv.ensure()
    stack.ensure_migrated()
    return run(["python", "-m", "benchmarks", *options.arguments])


def lab(options):
    """Start the demo's peering LAN with real routers, in network namespaces (needs root)."""
    ending.require_root()
    venv.ensure()
    programs.ensure(programs.FOR_LAB)
    return run(["python", "-m", "dev.lab", *options.arguments])


def lint(_options):
    """Check style, formatting, types, import rules and missing migrations."""
    venv.ensure()
    checks.lint()


def format_code(_options):
    """Put the code into the project's format."""
    venv.ensure()
    return run(["ruff", "check", "--fix", str(paths.ROOT)]) or run(["ruff", "format", str(paths.ROOT)])


def docs(_options):
    """Build the documentation into site/; a warning fails."""
    venv.ensure()
    return run(checks.DOCS)


def build_package(_options):
    """Build wheel and sdist, and try each in an empty environment beside NetBox."""
    venv.ensure()
    package.check()


def check(options):
    """Everything that continuous integration runs."""
    parts = {
        "lint": lint,
        "test": test,
        "docs": docs,
        "package": build_package,
        "plugin listed": lambda _options: ci.plugin_is_listed(),
        "demo": demo,
    }
    return ci.run({name: functools.partial(part, options) for name, part in parts.items()})


def baseline(_options):
    """Rebuild the dump of an empty, migrated NetBox (minutes)."""
    venv.ensure()
    say(f"Wrote {stack.rebuild_baseline()}")


def stop(_options):
    """Stop exactly what the stack started."""
    stopped = stack.stop()
    say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running")


def clean(_options):
    """Stop everything; remove the databases, builds and caches (.venv stays)."""
    stack.clean()
    say("Removed .stack, builds and caches. The packages stay; remove them with: rm -r .venv")


def run(command):
    """Run a command with the stack's environment and this terminal. Returns its exit status."""
    environment = netbox.environment()
    # The command is looked up where it will run, with .venv first, not where this tool runs.
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise DevError(f"{command[0]} is not a program. Look for it with: ls {paths.VENV / 'bin'}")
    return wait(subprocess.Popen([program, *command[1:]], env=environment))


def wait(process):
    """
    Wait for a child. Ctrl-C reaches it as well, and it may need a moment to put things in order: let it.
    """
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def print_login(running):
    """Where NetBox is, and how to get in."""
    print(f"NetBox:   {running.base_url}/")
    print(f"Login:    {running.admin_username} / {running.admin_password}")
    print(f"API:      Authorization: Bearer {running.token}")
    print("Stop it with: make stop")


COMMANDS = {
    "up": up,
    "prepare-tests": prepare_tests,
    "shell": shell,
    "demo": demo,
    "test": test,
    "serve": serve,
    "stop": stop,
    "bench": bench,
    "lab": lab,
    "lint": lint,
    "format": format_code,
    "docs": docs,
    "package": build_package,
    "check": check,
    "baseline": baseline,
    "clean": clean,
}


def parser():
    """The argument parser, made from COMMANDS and their docstrings."""
    top = argparse.ArgumentParser(
        prog="python -m dev", description="The local stack of NetBox Peering Manager."
    )
    subcommands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, function in COMMANDS.items():
        text = (function.__doc__ or "").strip().partition("\n")[0]
        command = subcommands.add_parser(name, help=text, description=text)
        command.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on")
        command.set_defaults(function=function)
    return top


def main(argv=None):
    """Run one command. Returns the exit status; a DevError is printed without a traceback."""
    options = parser().parse_args(argv)
    if options.arguments[:1] == ["--"]:
        options.arguments = options.arguments[1:]
    try:
        return options.function(options) or 0
    except DevError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
