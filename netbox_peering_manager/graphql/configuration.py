"""Whether sessions are on their routers, in GraphQL. A session without one is not configured."""

import strawberry_django
from strawberry_django import DatetimeFilterLookup, StrFilterLookup

from ..models import SessionConfiguration

__all__ = ("SessionConfigurationFilter", "SessionConfigurationType")


@strawberry_django.filter_type(SessionConfiguration, lookups=True)
class SessionConfigurationFilter:
    status: StrFilterLookup | None = strawberry_django.filter_field()
    as_of: DatetimeFilterLookup | None = strawberry_django.filter_field()


@strawberry_django.type(SessionConfiguration, fields=["id", "status", "reason", "as_of"])
class SessionConfigurationType:
    pass
