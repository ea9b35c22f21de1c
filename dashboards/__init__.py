"""Where people see: the Dash room."""
