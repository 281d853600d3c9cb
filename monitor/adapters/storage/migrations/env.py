"""Alembic's entry. The connection is the caller's, and so is the transaction (`migrate.migrate`)."""

from alembic import context

from monitor.adapters.storage.schema_nodes import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
