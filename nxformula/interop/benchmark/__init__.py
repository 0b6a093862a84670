"""How fast formulas are on this machine, beside plain NumPy and what memory allows.

`timing` runs contenders in turn, `frames` makes images and formulas, `kernels` and `files` hold the
measurements, `report` prints them.
"""
