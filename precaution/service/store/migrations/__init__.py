"""How the store's tables came to be: Alembic's scripts, run by `precaution.service.store.upgrading`."""
