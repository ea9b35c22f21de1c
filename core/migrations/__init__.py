"""The schema: numbered migrations for tables, and functions that are replaced whole when they change."""
