"""A second implementation of the language, plain and slow, to test the package against.

It shares no code with the package: the text is read by its own parser, and every value is computed
one element at a time from Python's integers and single NumPy numbers. It expects formulas that the
checker accepts and refuses nothing itself. Meant to be read beside the specification.
"""
