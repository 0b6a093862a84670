"""Random formulas that mostly pass the checker, and random values for their symbols."""
