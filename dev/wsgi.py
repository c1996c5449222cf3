"""
NetBox's WSGI application with its static files.

NetBox leaves static files to the web server in front of it; there is none here, so Django's own handler
serves them through the finders (it does so with DEBUG off as well).
"""

from django.contrib.staticfiles.handlers import StaticFilesHandler

from netbox.wsgi import application as netbox_application

from dev.netbox import CHECKOUT, CHECKOUT_HEADER


def with_name(inner):
    """
    A WSGI application that adds this checkout's name to every answer of the inner one.

    So `netbox.answers` can tell our NetBox from another checkout's that took the same port a moment earlier.
    """

    def named(environ, start_response):
        def start(status, headers, *rest):
            return start_response(status, [*headers, (CHECKOUT_HEADER, CHECKOUT)], *rest)

        return inner(environ, start)

    return named


application = with_name(StaticFilesHandler(netbox_application))
