"""The short reference pages name what the code has: settings, permissions, commands, menu, REST, GraphQL."""

import importlib
import json
import pkgutil
import re

from django.apps import apps
from django.urls import URLPattern, get_resolver
from django.utils.module_loading import import_string

from netbox.registry import registry

from netbox_peering_manager import PeeringManagerConfig, choices, navigation
from netbox_peering_manager.management import commands
from tests.docs.markdown import DOCS, ROOT, fences, first_cells, sections, tables

APP = "netbox_peering_manager"


def public_models():
    return [
        model
        for model in apps.get_app_config(APP).get_models()
        if not getattr(model, "_netbox_private", False)
    ]


def rows(page, section):
    return [[cell.strip("|` ") for cell in row] for table in tables(sections(page)[section]) for row in table]


def test_settings_are_documented_with_their_defaults():
    told = {name: json.loads(default) for name, default, _ in rows("reference/settings.md", "Settings")}
    assert told == PeeringManagerConfig.default_settings


def test_choices_that_sites_can_extend_are_documented():
    keys = {
        f"{APP}.{getattr(choices, name).key}"
        for name in choices.__all__
        if hasattr(getattr(choices, name), "key")
    }
    assert set(first_cells(sections("reference/settings.md")["Choices"])) == keys


def test_standard_permissions_are_documented_for_every_model():
    told = {row[1] for row in rows("reference/permissions.md", "Standard actions")}
    assert told == {f"{APP}.<action>_{model._meta.model_name}" for model in public_models()}


def test_additional_permissions_are_documented():
    told = {(row[0].lower(), row[1]) for row in rows("reference/permissions.md", "Additional actions")}
    assert told == {
        (str(model._meta.verbose_name).lower(), action)
        for model in public_models()
        for action, _ in model._meta.permissions
    }


def test_management_commands_are_documented():
    names = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert set(first_cells(sections("reference/commands.md")["NetBox commands"])) == names


def make_targets():
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)) - {
        "help"
    }


def test_make_targets_are_documented():
    told = first_cells(sections("reference/commands.md")["In a checkout"])
    assert set(told) == {f"make {target}" for target in make_targets()}


def test_make_targets_named_anywhere_exist():
    pages = [
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "COMPATIBILITY.md")
    ]
    for page in [*pages, *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE))
        assert named <= make_targets(), page.name


def test_menu_is_documented():
    told = {(group, entry, path) for group, entry, path in rows("reference/menu.md", "Menu")}
    root = "/plugins/peering-manager/"
    assert told == {
        (str(group.label), str(item.link_text), str(item.url).removeprefix(root))
        for group in navigation.menu.groups
        for item in group.items
    }


def tabs():
    """The labels of the plugin's tabs, on pages of its own and of others."""
    importlib.import_module(f"{APP}.urls")
    views = (
        view["view"] for models in registry["views"].values() for views in models.values() for view in views
    )
    classes = (import_string(view) if isinstance(view, str) else view for view in views)
    ours = [each for each in classes if each.__module__.startswith(APP) and getattr(each, "tab", None)]
    return {str(each.tab.label) for each in ours}


def test_tabs_are_documented_by_their_labels():
    assert {"Connection", "Deployments", "Drift", "Peering configuration"} < tabs()
    told = set(re.findall(r"[Tt]ab \*([^*]+)\*", (DOCS / "reference/menu.md").read_text()))
    assert tabs() <= told


def test_buttons_that_the_tutorials_press_exist():
    package = ROOT / APP
    sources = "".join(
        path.read_text() for path in (*package.rglob("*.py"), *package.rglob("*.html")) if path.is_file()
    )
    for page in (DOCS / "tutorial").glob("*.md"):
        for name in set(re.findall(r"\*\*([^*]+)\*\*", page.read_text())) - {"Edit"}:
            label = re.sub(r"\d+", "{{ sessions }}", name)
            assert f'"{label}"' in sources or f"%}}{label}{{%" in sources, (page.name, name)


def rest_routes():
    """Every route of the REST API below the plugin's root, as "sessions/<id>/"."""
    module = importlib.import_module(f"{APP}.api.urls")
    found = set()
    for pattern in walk(module.urlpatterns):
        route = re.sub(r"\(\?P<pk>[^)]*\)|<(?:\w+:)?pk>", "<id>", pattern)
        route = re.sub(r"[\^$]|\\Z", "", route)
        if route and "format" not in route:
            found.add(route)
    return found


def walk(patterns, prefix=""):
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from walk(entry.url_patterns, route)


def test_every_rest_route_is_documented_and_no_other():
    assert set(first_cells(sections("reference/rest.md")["Paths"])) == rest_routes()


def test_rest_routes_are_served_where_the_page_says():
    assert any(
        route.startswith("api/plugins/peering-manager/") for route in walk(get_resolver().url_patterns)
    )


def test_graphql_fields_are_documented_and_no_other():
    from netbox_peering_manager.graphql import schema

    queries, _extensions = tables(sections("reference/graphql.md")["GraphQL"])
    assert {row[0].strip("|` ") for row in queries} == set(fields_of(schema))


def test_graphql_fields_of_netbox_types_are_documented_and_no_other():
    from netbox_peering_manager.graphql_extensions import type_extensions

    _queries, extensions = tables(sections("reference/graphql.md")["GraphQL"])
    assert {row[0].strip("|` ") for row in extensions} == {
        f"{apps.get_model(model)._meta.object_name}.{name}"
        for extension in type_extensions
        for model in extension.models
        for name in fields_of([extension])
    }


def fields_of(types):
    """The names of the GraphQL fields that these types add."""
    return [field.name for each in types for field in each.__strawberry_definition__.fields]


def test_fields_of_new_sessions_are_documented_and_no_other():
    from netbox_peering_manager.api.serializers import NewSessionSerializer

    rows = tables(sections("reference/rest.md")["Make sessions"])[0]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(NewSessionSerializer().fields)


def test_what_render_config_takes_and_gives_is_documented():
    from netbox_peering_manager.api.serializers.rendering import (
        PeeringRenderInputSerializer,
        RenderedPeeringSerializer,
    )

    taken, given, _statuses = tables(sections("reference/rest.md")["Rendering"])
    assert {row[0].strip("|` ") for row in taken} == set(PeeringRenderInputSerializer().fields)
    assert {row[0].strip("|` ") for row in given} == set(RenderedPeeringSerializer().fields)


def test_configuration_examples_are_python():
    for page in ("reference/settings.md", "how-to/configure.md", "how-to/passwords.md"):
        for fence in fences(page):
            if fence.language == "python":
                compile(fence.text, page, "exec")
