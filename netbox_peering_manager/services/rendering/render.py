"""
Last stage: a template and a context become text, or an error that says where in the template it lies.

The template runs in NetBox's sandbox with NetBox's filters and includes, but with our context alone: the
models that NetBox gives to its own templates carry no object permissions. Undefined names fail, whatever the
template's own settings say, and a failed rendering leaves no text.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError

from utilities.jinja2 import DataFileLoader, render_jinja2

from ...exceptions import TemplateFailed
from ..secrets import MASK

if TYPE_CHECKING:
    from extras.models import ConfigTemplate

    from .context import PeeringContext

__all__ = ("render_text",)

# How Jinja names a template that was made from a string.
UNNAMED = ("<template>", "<unknown>")


def render_text(template: "ConfigTemplate", context: "PeeringContext") -> str:
    """
    Return the rendered text, lines ended by "\\n". TemplateFailed when the template fails, in whatever way.
    """
    failure = None
    try:
        text = render_jinja2(
            template.template_code,
            dict(context),
            {**template.get_environment_params(), **_forced_params(template)},
            template.data_file,
            debug=template.debug,
        )
    except Exception as error:  # a template can raise anything
        failure = _describe(error, template)
    if failure is None:
        return text.replace("\r\n", "\n")
    name, line, message = failure
    # Raised out here, so that no traceback keeps the original error: its text may hold a password that the
    # template choked on.
    raise TemplateFailed(name, line, _without_passwords(message, context))


def _forced_params(template: "ConfigTemplate") -> dict[str, Any]:
    params: dict[str, Any] = {"undefined": StrictUndefined}
    if template.data_file:
        params["loader"] = loader = _NamingLoader(template.data_file.source)
        # As render_jinja2 does with the loader that it would make.
        loader.cache_templates({template.data_file.path: template.template_code})
    return params


class _NamingLoader(DataFileLoader):
    """NetBox's loader of data files, which parses a file before Jinja knows its name: syntax errors have none."""

    def get_source(self, environment: Environment, template: str) -> Any:
        try:
            return super().get_source(environment, template)
        except TemplateSyntaxError as error:
            error.name = error.name or template
            raise


def _describe(error: Exception, template: "ConfigTemplate") -> tuple[str, int | None, str]:
    """
    Return the name of the template that failed (an included file's path, if it lies there), the line, and
    why.
    """
    where, line = _place(error)
    own_names = (None, *UNNAMED, template.data_file.path if template.data_file else None)
    return (template.name if where in own_names else str(where)), line, _message(error)


def _place(error: Exception) -> tuple[str | None, int | None]:
    if isinstance(error, TemplateSyntaxError):
        return error.name or error.filename, error.lineno
    return _last_template_frame(error.__traceback__)


def _message(error: Exception) -> str:
    if isinstance(error, TemplateSyntaxError):
        return error.message or type(error).__name__
    if isinstance(error, TemplateNotFound):
        return f"template {error.name!r} is not there to include"
    if isinstance(error, RecursionError):
        return "the template calls itself without end"
    text = str(error)
    if type(error).__module__.startswith("jinja2") and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _last_template_frame(traceback: TracebackType | None) -> tuple[str | None, int | None]:
    """
    Return file name and line of the innermost frame that Jinja rewrote to point into a template's source.
    """
    frames = list(_template_frames(traceback))
    return frames[-1] if frames else (None, None)


def _template_frames(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        # jinja2.debug.fake_traceback leaves this name in the frames it makes.
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _without_passwords(message: str, context: "PeeringContext") -> str:
    passwords: set[str] = {session["password"] for session in context["sessions"]} - {"", MASK}
    # As it is, and as Python and Jinja quote it. The longest first: one password may be part of another.
    spellings = {spelling for password in passwords for spelling in (password, repr(password)[1:-1])}
    for spelling in sorted(spellings, key=len, reverse=True):
        message = message.replace(spelling, MASK)
    return message
