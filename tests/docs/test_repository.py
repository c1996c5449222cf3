"""What the repository as a whole says about itself."""

import re
import subprocess

import pytest

from netbox_peering_manager import PeeringManagerConfig
from tests.docs.markdown import DOCS, ROOT

# Spelt in parts, so that this file does not find itself.
UNWANTED = {
    "a package index": "pypi" + r"\.org|pythonhosted" + r"\.org",
    "a path of one machine": r"(?<![\w./])/wo" + r"rk/|/tm" + r"p/w\b",
    "the work instead of the product": r"\b(?:session" + r"s? of work|issue" + r" #?\d+)\b",
}
BINARY = {".gz", ".png", ".mo", ".woff2"}


def files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).suffix not in BINARY]


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_names(what):
    pattern = re.compile(UNWANTED[what], flags=re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        if path.is_file()
        for match in [pattern.search(path.read_text(errors="replace"))]
        if match
    ]
    assert not found


def links(path):
    """Targets of the links and pictures of a Markdown file that lie in the repository, without anchors."""
    found = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    return {target.partition("#")[0] for target in found if "://" not in target} - {""}


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "COMPATIBILITY.md", "SECURITY.md", "CONTRIBUTING.md"]
)
def test_links_of_the_front_pages_resolve(name):
    assert [target for target in links(ROOT / name) if not (ROOT / target).exists()] == []


def test_version_ranges_are_those_of_the_plugin():
    wanted = f"{PeeringManagerConfig.min_version} \u2013 {PeeringManagerConfig.max_version}"
    for name in ("README.md", "COMPATIBILITY.md"):
        assert wanted in (ROOT / name).read_text(), name
    manifest = (ROOT / "netbox-plugin.yaml").read_text()
    assert f"netbox_min: {PeeringManagerConfig.min_version}" in manifest
    assert f"netbox_max: {PeeringManagerConfig.max_version}" in manifest


def test_changelog_has_the_plugins_version():
    assert f"## {PeeringManagerConfig.version}" in (ROOT / "CHANGELOG.md").read_text()


def test_documentation_loads_nothing_from_elsewhere():
    assert "font: false" in (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert not re.search(r"!\[[^]]*\]\(https?://|<(?:script|iframe|link)\b", page.read_text()), page.name
