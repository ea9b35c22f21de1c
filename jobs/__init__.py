"""Where time passes: the RQ room."""
