"""How masters are made."""
