"""From a checked formula to numbers: arrays in, array out, no files.

`plan` is the flat list of operations, `lower` makes it from a checked formula, `layout` fits arrays
with named dimensions into one grid of tiles, `schedule` says what runs when and where it is kept.
`numpy_backend` evaluates the plan tile by tile, with `tables` for the look-ups, `blend` for
selections, `choice` and `points` for tiles where almost all elements take the same plane of a
table. `kernel` is what the rest of the house calls.
"""
