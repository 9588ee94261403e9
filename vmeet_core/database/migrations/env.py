"""Run by Alembic for each command: the migrations go through the connection that ``migrate.py`` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
