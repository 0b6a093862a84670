"""Geometry: from a CrystFEL geometry file to chains of transformations in NeXus, and back."""
