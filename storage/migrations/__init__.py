"""How older databases are brought to today's schema: one file a step, run by `storage.upgrade`."""
