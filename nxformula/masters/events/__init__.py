"""Events: which rows of the recorders' stacks belong together, by equality of ids."""
