"""Alembic asks here how to run the scripts: on the connection it was given, within one transaction."""

from __future__ import annotations

from alembic import context

from precaution.service.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
