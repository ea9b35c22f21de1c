"""The business: money, parties, orders, risk and commissions. Knows no web framework, queue or chart."""
