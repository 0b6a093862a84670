"""The formula language: text to checked syntax tree, without arrays and without files.

`source` screens the text, `parser` builds the tree of `tree`, `checker` gives every node a type,
an integer interval and named dimensions. `functions` is the table of functions, `intervals` holds
the normative interval rules, `limits` the sizes beyond which a formula is refused.
"""
