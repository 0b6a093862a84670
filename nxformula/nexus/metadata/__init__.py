"""A file without its pixels: groups, fields, attributes and links as plain data."""
