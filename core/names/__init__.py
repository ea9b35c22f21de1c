"""Names of persons, brought to comparable words and compared: pure, and below every room that compares them."""

from core.names.alike import NameMatch, similarity
from core.names.words import Name, normalise

__all__ = ["Name", "NameMatch", "normalise", "similarity"]
