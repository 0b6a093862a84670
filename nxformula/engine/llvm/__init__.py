"""A plan as machine code, by way of LLVM: the backend "fast", for which llvmlite is needed.

`layouts` says what the code is made for: which arrays vary where. `instructions` is the table of
functions as LLVM's instructions, `lookups` the look-ups in tables, `program` the loops around
both. `machine` makes machine code of the text and keeps it. `backend` runs it.

Frames are the loop around the pixels of a tile: the constants of a tile are read from memory once
for all frames of a call. Every operation is the same IEEE operation as NumPy's, in the same
order, without contraction: the result is the same bits. What has no such instruction (`exp` and
its like) is left to NumPy.
"""
