"""Random formulas, and the values of formulas at random points."""
