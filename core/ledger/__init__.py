"""The double-entry ledger: accounts, immutable balanced entries, and the one writer of balances."""
