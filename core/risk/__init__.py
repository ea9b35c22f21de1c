"""Risk: facts, features, rules and the gates that every order passes."""
