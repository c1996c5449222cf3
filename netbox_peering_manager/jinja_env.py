"""What NetBox adds to the Jinja environment of every template: the filters of `services/rendering/filters`."""

from .services.rendering.filters import FILTERS

filters = FILTERS
