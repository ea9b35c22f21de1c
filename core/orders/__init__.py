"""Orders: their life cycle, the choice of an acceptor, and the commands that move them."""
