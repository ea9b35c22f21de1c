"""Prices: exchange rates, fee schedules and the quotes made from them."""
