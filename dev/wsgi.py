"""
NetBox's WSGI application with its static files.

NetBox leaves static files to the web server in front of it; there is none here, so Django's own handler serves them
through the finders (it does so with DEBUG off as well).
"""

from django.contrib.staticfiles.handlers import StaticFilesHandler
from netbox.wsgi import application as netbox_application

application = StaticFilesHandler(netbox_application)
