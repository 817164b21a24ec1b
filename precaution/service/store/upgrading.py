"""Brings the store's tables to this program's version, by one process at a time and as one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from precaution.errors import StoreOutdated
from precaution.service.store.tables import VERSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from precaution.service.store.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"


def version_of(connection: Connection) -> str:
    """Return the version of the tables; empty where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def current(database: Database) -> bool:
    """Whether the tables are of this program's version. Raises StoreOutdated where they are of a newer one."""
    with database.read_transaction() as connection:
        found = version_of(connection)
    if found > VERSION:
        raise StoreOutdated(f"the store's tables are of version {found}, this program's of {VERSION}: use a newer one")
    return found == VERSION


def upgrade(database: Database) -> tuple[str, str]:
    """Make or upgrade the tables, and return the versions before and after.

    Raises StoreOutdated where the tables are of a newer version, and StoreError.
    """
    from alembic import command  # noqa: PLC0415  # takes a tenth of a second that most starts need not spend
    from alembic.config import Config  # noqa: PLC0415

    current(database)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with database.write_transaction() as connection:
        before = version_of(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, VERSION)
    return before, VERSION
