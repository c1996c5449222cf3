"""
`make package`: build the wheel and the sdist, and try each where no checkout is.

Each is installed into an otherwise empty environment beside NetBox, as an operator does it. There NetBox must
start with it, find no migration missing, and the installed files must be the checkout's.
"""

import subprocess
import tempfile
from pathlib import Path

from dev import netbox, paths, stack, venv
from dev.errors import DevError
from dev.progress import run, say, step

DIST = paths.ROOT / "dist"
DRIVER = "napalm_frr"  # the second package of the distribution
# Prints where the installed package lies, without importing it (that needs a configured NetBox).
LOCATE = (
    "import importlib.util as u; print(u.find_spec('netbox_peering_manager').submodule_search_locations[0])"
)


def check():
    """Build both and check both. Raises DevError that says what is wrong."""
    artefacts = build()
    stack.ensure_shell()
    with tempfile.TemporaryDirectory(prefix="netbox-peering-manager-package-") as folder:
        python = host_environment(Path(folder))
        for artefact in artefacts:
            with step(f"Trying {artefact.name}"):
                try_out(artefact, python, Path(folder))


def build():
    """Build the sdist, and the wheel from the sdist. Returns their paths."""
    for old in DIST.glob("netbox_peering_manager-*"):
        old.unlink()
    with step("Building sdist and wheel"):
        run([paths.PYTHON, "-m", "build", "--no-isolation", "--outdir", DIST], "build", what="The build")
    found = sorted(DIST.glob("netbox_peering_manager-*"))
    if [path.suffix for path in found] != [".whl", ".gz"] and [path.suffix for path in found] != [
        ".gz",
        ".whl",
    ]:
        raise DevError(f"The build made {[path.name for path in found]}. See {paths.LOG / 'build.log'}")
    return found


def host_environment(folder):
    """An empty environment with NetBox in it, and this project's import path kept out. Returns its Python."""
    python = folder / "venv" / "bin" / "python"
    with step("Installing NetBox into an empty environment"):
        venv.make(folder / "venv")
        # setuptools, because the sdist is built with the pinned one.
        pip(python, "netbox", "setuptools")
    # The stack's configuration, reachable without the checkout, which holds the plugin's source.
    (folder / "path").mkdir()
    (folder / "path" / "dev").symlink_to(paths.DEV)
    return python


def try_out(artefact, python, folder):
    """Install one artefact, check it, and remove it again."""
    pip(python, "--no-build-isolation", artefact)
    environment = netbox.environment() | {
        "PYTHONPATH": str(folder / "path"),
        "VIRTUAL_ENV": str(python.parent.parent),
    }
    place = installed_at(python, environment, folder)
    if not place.is_relative_to(folder):
        raise DevError(
            f"{artefact.name}: NetBox would load {place}, not the installed package. Run: make clean package"
        )
    missing = [
        name
        for source in (paths.PLUGIN, paths.ROOT / DRIVER)
        for name in missing_files(source, place.parent / source.name)
    ]
    if missing:
        raise DevError(
            f"{artefact.name} lacks {', '.join(missing)}. Add them in MANIFEST.in and pyproject.toml"
        )
    for command in (["check"], ["makemigrations", "netbox_peering_manager", "--check", "--dry-run"]):
        run(
            [python, "-m", "netbox", *command],
            f"package-{command[0]}",
            env=environment,
            cwd=folder,
            what=f"{artefact.name}: netbox {command[0]}",
        )
    run([python, "-m", "pip", "uninstall", "-y", "netbox-peering-manager"], "package-uninstall")
    say(f"{artefact.name}: starts beside NetBox, every file is in")


def installed_at(python, environment, folder):
    """Where the environment finds the plugin."""
    done = subprocess.run([python, "-c", LOCATE], env=environment, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise DevError(
            f"The installed package is not found: {done.stderr.strip()}. See {paths.LOG / 'pip-package.log'}"
        )
    return Path(done.stdout.strip())


def missing_files(source, installed):
    """The files of the source package that the installed one lacks, as sorted relative paths."""
    wanted = {
        path.relative_to(source)
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    return sorted(str(path) for path in wanted if not (installed / path).is_file())


def pip(python, *what):
    """Install something with the pinned versions."""
    command = [
        python,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--constraint",
        paths.CONSTRAINTS,
        *what,
    ]
    run(command, "pip-package", hint="Check the network and try again: make package")
