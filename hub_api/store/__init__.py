"""The database: tables, repositories, migrations. Rows never leave this package; records do."""

from hub_api.store import message_tables as _message_tables  # noqa: F401 - every table must be known to the schema
