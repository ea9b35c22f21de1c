"""Names as the rules compare them: by the one comparison that bank accounts' holders are compared by too."""

from core.names import Name, NameMatch, normalise, similarity

__all__ = ["Name", "NameMatch", "normalise", "similarity"]
