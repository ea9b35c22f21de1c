"""Alembic's entry: runs the migrations on the connection that the runner hands over."""

from __future__ import annotations

from alembic import context

from core.db import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
context.run_migrations()
