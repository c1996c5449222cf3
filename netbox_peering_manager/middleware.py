"""
What is posted to the plugin's pages stays in the process that it was posted to.

NetBox sends the request along with each event that calls a webhook or script, pickled into Redis, and with it whatever
its form held: passwords of sessions, one-time commands, what somebody typed to log in to a router.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from .settings import PLUGIN

__all__ = ("Posted", "PostedMiddleware")

NAMESPACES = {PLUGIN, f"{PLUGIN}-api"}
# NetBox's own field of forms whose work a job can do: it calls the view again, with what was posted.
BACKGROUND = "background_job"


class Posted(QueryDict):
    """What a form holds. Pickled it is empty; once it goes along, to the job that is to work at the form."""

    _went_along = False

    @classmethod
    def of(cls, lists: Iterable[tuple[str, list[Any]]], *, went_along: bool = False) -> "Posted":
        posted = cls("", mutable=True)
        for name, values in lists:
            posted.setlist(name, values)
        posted._mutable, posted._went_along = False, went_along
        return posted

    def __reduce__(self) -> tuple[Any, ...]:
        goes_along = bool(self.get(BACKGROUND)) and not self._went_along
        return _arrived, (list(self.lists()) if goes_along else [],)


class PostedMiddleware:
    """Let what is posted to this plugin be `Posted`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> None:
        match = request.resolver_match
        if request.method == "POST" and match is not None and NAMESPACES.intersection(match.namespaces):
            request.POST = Posted.of(request.POST.lists())


def _arrived(lists: list[tuple[str, list[Any]]]) -> Posted:
    return Posted.of(lists, went_along=True)
