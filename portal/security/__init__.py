"""Who may come in, how long, and what every answer carries to keep browsers safe."""
