"""Commissions: who earns what of an order, when it is due, and the statements made of it."""
