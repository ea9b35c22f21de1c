"""What the dashboards ask of the rollups: volume, risk, commissions; sums in SQL, rows of the actor only."""
