"""From context to text: every way in which a template can fail, and that nothing leaks or stays half done."""

import logging

import pytest

from core.models import DataFile, DataSource, ObjectChange
from extras.models import ConfigTemplate

from netbox_peering_manager.exceptions import RenderingRefused, SecretError, TemplateFailed
from netbox_peering_manager.models import PeeringSession
from netbox_peering_manager.services.rendering.peering import render_peering
from netbox_peering_manager.services.rendering.render import render_text
from netbox_peering_manager.services.secrets import MASK
from tests import shared
from tests.rendering import scenario

pytestmark = pytest.mark.django_db
made = shared.once(scenario.build)
net = shared.copy()

EMPTY = {"sessions": []}


def text_of(code, context=None, **fields):
    return render_text(ConfigTemplate(name="t", template_code=code, **fields), context or EMPTY)


def failure_of(code, context=None, **fields):
    with pytest.raises(TemplateFailed) as raised:
        text_of(code, context, **fields)
    return raised.value


def test_text_with_its_digest_and_number_of_sessions(net):
    rendered = render_peering(net.template, net.device.pk, reveal_secrets=True)
    assert rendered.content.splitlines()[0] == f"198.51.100.42 64496 {scenario.OWN_PASSWORD}"
    assert rendered.session_count == 4
    # sha256sum of the same bytes.
    assert len(rendered.digest) == 64
    assert rendered.digest == render_peering(net.template, net.device.pk, reveal_secrets=True).digest
    assert rendered.digest != render_peering(net.template, net.device.pk).digest


def test_environment_parameters_of_the_template_apply():
    text = text_of(
        "<% if true %>\n  x\n<% endif %>",
        environment_params={"block_start_string": "<%", "block_end_string": "%>", "trim_blocks": True},
    )
    assert text == "  x\n"


def test_lines_end_as_on_a_router_whatever_the_template_was_written_on():
    assert (
        text_of("a\r\nb\r\n", environment_params={"keep_trailing_newline": True, "newline_sequence": "\r\n"})
        == "a\nb\n"
    )


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("a\n{{ nope }}", 2, "'nope' is undefined"),
        ("{{ sessions.nope }}", 1, "'list object' has no attribute 'nope'"),
        ("\n\n{% for %}", 3, "Expected an expression"),
        ("{% if x", 1, "unexpected end of template"),
        ("\n{{ 1 | nofilter }}", 2, "No filter named 'nofilter'"),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError: division by zero"),
        ("{{ 1 + 'x' }}", 1, "TypeError: unsupported operand"),
        ("{{ [1, 2] | join(3, 4, 5) }}", 1, "TypeError"),
        ("\n{{ ''.__class__ }}", 2, "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ range(10 ** 9) }}", 1, "Range too big"),
        ("\n{% include 'other.j2' %}", 2, "template 'other.j2' is not there to include"),
        ("{% macro a() %}{{ a() }}{% endmacro %}\n{{ a() }}", 1, "the template calls itself without end"),
        ("{% for s in sessions %}x{% endfor %}\n{{ sessions[0] }}", 2, "list object has no element 0"),
    ],
)
def test_failing_template_names_line_and_reason(code, line, message):
    failure = failure_of(code)
    assert (failure.template, failure.line) == ("t", line)
    assert message in failure.message
    assert str(failure) == f"t, line {line}: {failure.message}"


def test_undefined_fails_even_if_the_template_asks_for_leniency():
    assert failure_of("{{ nope }}", environment_params={"undefined": "jinja2.Undefined"}).line == 1


def test_error_in_a_macro_is_told_at_the_line_of_the_macro():
    assert failure_of("{% macro a() %}\n{{ nope }}\n{% endmacro %}\n{{ a() }}").line == 2


@pytest.mark.parametrize(
    "name", ["dcim", "ipam", "netbox_routing", "netbox_peering_manager", "peering", "users"]
)
def test_models_and_peering_are_no_part_of_the_context(name):
    assert failure_of(f"{{{{ {name} }}}}").message == f"'{name}' is undefined"


def includes(**files):
    source = DataSource.objects.create(name="repo", type="local", source_url="/nowhere")
    made = {
        path: DataFile.objects.create(
            source=source,
            path=f"{path}.j2",
            data=code.encode(),
            size=len(code),
            hash="0" * 64,
            last_updated="2026-01-01T00:00Z",
        )
        for path, code in files.items()
    }
    return ConfigTemplate(name="from a file", template_code=files["main"], data_file=made["main"])


def test_included_files_are_rendered():
    assert (
        render_text(includes(main="{% include 'part.j2' %}!", part="{{ sessions | length }}"), EMPTY) == "0!"
    )


@pytest.mark.parametrize(
    ("part", "message"), [("\n\n{{ nope }}", "undefined"), ("\n\n{% for %}", "Expected")]
)
def test_failure_in_an_included_file_names_the_file(part, message):
    with pytest.raises(TemplateFailed) as raised:
        render_text(includes(main="\n{% include 'part.j2' %}", part=part), EMPTY)
    assert (raised.value.template, raised.value.line) == ("part.j2", 3)
    assert message in raised.value.message


def test_failure_in_the_main_file_names_the_template():
    with pytest.raises(TemplateFailed) as raised:
        render_text(includes(main="\n{{ nope }}"), EMPTY)
    assert (raised.value.template, raised.value.line) == ("from a file", 2)


# Secrets


@pytest.mark.parametrize(
    "code",
    [
        "{{ {}[sessions[0].password] }}",
        "{{ dict()[sessions[0].password] }}",
        "{{ sessions[0][sessions[0].password] }}",
        "{% include sessions[0].password %}",
        "{{ '%d' | format(sessions[0].password) }}",
        "{{ sessions[0].password | int(default=none) + 1 }}",
        "{{ 'x' | attr(sessions[0].password) | upper }}",
    ],
)
@pytest.mark.parametrize("password", ["hunter2-hunter2", "quo'te\\back"])
def test_no_password_in_an_error_nor_in_what_it_was_raised_from(code, password):
    failure = failure_of(code, {"sessions": [{"password": password}]})
    for error in (failure, failure.__cause__, failure.__context__):
        assert password not in str(error)
        assert repr(password)[1:-1] not in str(error)


def test_password_in_an_error_becomes_the_mask():
    failure = failure_of("{{ {}[sessions[0].password] }}", {"sessions": [{"password": "hunter2"}]})
    assert MASK in failure.message


def test_undecryptable_password_is_told_with_its_session(net):
    PeeringSession.objects.filter(pk=net.full.pk).update(encrypted_password="gibberish")
    with pytest.raises(SecretError, match=f"session full .ID {net.full.pk}."):
        render_peering(net.template, net.device.pk, reveal_secrets=True)
    # Nothing is decrypted for those who may not see it, so that it cannot fail for them.
    assert render_peering(net.template, net.device.pk).secrets == "masked"


def test_no_password_in_logs_change_records_or_reprs(net, caplog):
    caplog.set_level(logging.DEBUG)
    before = ObjectChange.objects.count()
    rendered = render_peering(net.template, net.device.pk, reveal_secrets=True)
    net.template.template_code = "{{ sessions[0].password.nope }}"
    with pytest.raises(TemplateFailed) as raised:
        render_peering(net.template, net.device.pk, reveal_secrets=True)
    logging.getLogger("netbox").exception("as a caller might log it", exc_info=raised.value)
    seen = [repr(rendered), str(rendered), repr(raised.value)]
    # SQL with its parameters is Django's own debug log, which only DEBUG turns on.
    seen += [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    seen.append(caplog.text if not any(r.name.startswith("django.db") for r in caplog.records) else "")
    assert not [password for password in scenario.PASSWORDS for text in seen if password in text]
    assert ObjectChange.objects.count() == before


def test_stages_show_no_password_in_their_repr(net):
    from netbox_peering_manager.services.rendering.effective import resolve
    from netbox_peering_manager.services.rendering.load import load

    loaded = load(net.device.pk, reveal_secrets=True)
    effective = resolve(loaded, MASK)
    assert set(effective.passwords.values()) == set(scenario.PASSWORDS)
    assert not [password for password in scenario.PASSWORDS if password in repr(loaded) + repr(effective)]


# What is not there


def test_unknown_device_and_sessions_are_refused(net):
    with pytest.raises(RenderingRefused) as raised:
        render_peering(net.template, 0)
    assert list(raised.value.errors) == ["device"]
    with pytest.raises(RenderingRefused) as raised:
        render_peering(net.template, sessions=[net.full.pk, 0, 9**9])
    assert raised.value.errors == {
        "sessions": ["There is no session with ID 0.", f"There is no session with ID {9**9}."]
    }


def test_session_of_another_device_is_refused(net):
    from tests import factories

    with pytest.raises(RenderingRefused) as raised:
        render_peering(net.template, factories.make_device("rt2.mtl").pk, [net.full.pk])
    assert raised.value.errors == {"sessions": [f"Session {net.full.pk} is not on rt2.mtl."]}
