"""Reports: files people take with them, each tied to the ledger."""
