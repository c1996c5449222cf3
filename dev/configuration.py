"""
NetBox's configuration on the local stack (NETBOX_CONFIGURATION=dev.configuration).

It holds no secret: ports and passwords come from `.stack/state.json`, or from DATABASE_URL and REDIS_URL.
These variables choose among databases, and are set by the stack itself:

NPM_DATABASE    the database to work on (default: the one that serves)
NPM_HOST_ONLY   NetBox and netbox-routing without this plugin, as in the baseline
NPM_TEMPLATE    the migrated database that test databases are cloned from
NPM_TEST_DB     the name of the test database
NPM_SETTINGS    more settings of the plugin, as a JSON object: how a test reaches its lab
NPM_LOG         from which level on everything is logged (DEBUG, say); NetBox's own default otherwise
NPM_REDIS_SLOT  which pair of Redis databases to use, so that two test runs do not share queues and caches

and these say where PeeringDB is, the sample one unless told otherwise (`peeringdb.py`):

PEERINGDB_URL, PEERINGDB_API_KEY
"""

import json
import os

from dev import databases, peeringdb, postgres, redis, state
from dev.lab import reached

_state = state.load()
_postgres = postgres.known()
_redis = redis.known()
_slot = int(os.environ.get("NPM_REDIS_SLOT", "0"))


def _redis_section(offset):
    return {
        "HOST": _redis.host,
        "PORT": _redis.port,
        "USERNAME": _redis.username,
        "PASSWORD": _redis.password,
        "DATABASE": _redis.database + 2 * _slot + offset,
        "SSL": _redis.tls,
    }


ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
SECRET_KEY = _state.get("secret_key", "")
API_TOKEN_PEPPERS = {1: _state.get("api_token_pepper", "")}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _postgres.host,
        "PORT": str(_postgres.port),
        "USER": _postgres.user,
        "PASSWORD": _postgres.password,
        "NAME": os.environ.get("NPM_DATABASE") or _postgres.database,
        # A connection that stays open would keep test databases from being cloned and dropped.
        "CONN_MAX_AGE": 0,
        "TEST": {
            "NAME": os.environ.get("NPM_TEST_DB") or f"test_{_postgres.database}",
            "TEMPLATE": os.environ.get("NPM_TEMPLATE") or databases.template_name(_postgres),
        },
    }
}
REDIS = {"tasks": _redis_section(0), "caching": _redis_section(1)}

PLUGINS = ["netbox_routing"]
if not os.environ.get("NPM_HOST_ONLY"):
    PLUGINS.append("netbox_peering_manager")
PLUGINS_CONFIG = {
    "netbox_peering_manager": peeringdb.settings(os.environ)
    | reached.settings(os.environ)
    | json.loads(os.environ.get("NPM_SETTINGS", "{}"))
}

# Lets `makemigrations` write files.
DEVELOPER = True
# Nothing here calls the outside: no census, no release check, no plugin catalogue.
CENSUS_REPORTING_ENABLED = False
ISOLATED_DEPLOYMENT = True

if level := os.environ.get("NPM_LOG"):
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["stderr"], "level": level},
    }
