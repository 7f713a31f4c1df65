"""Outlet files: one TOML per publication, `_common.toml` for what holds everywhere. Data only."""
