"""Where people look and decide: the Flask-AppBuilder room."""
