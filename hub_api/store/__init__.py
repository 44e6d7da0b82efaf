"""The database: tables, repositories, migrations. Rows never leave this package; records do."""

# Every table must be known to the schema.
from hub_api.store import access_tables as _access_tables  # noqa: F401
from hub_api.store import care_tables as _care_tables  # noqa: F401
from hub_api.store import incident_tables as _incident_tables  # noqa: F401
from hub_api.store import message_tables as _message_tables  # noqa: F401
from hub_api.store import outside_tables as _outside_tables  # noqa: F401
from hub_api.store import site_tables as _site_tables  # noqa: F401
from hub_api.store import steering_tables as _steering_tables  # noqa: F401
