"""From a checked formula to numbers: arrays in, array out, no files.

`plan` is the flat list of operations, `lower` makes it from a checked formula, `layout` fits arrays
with named dimensions into one grid of tiles, `numpy_backend` evaluates it tile by tile with
`tables` for the look-ups, and `kernel` is what the rest of the house calls.
"""
