"""The officer's work: alerts judged, disputes decided, personal data revealed, each by name and with a reason."""
