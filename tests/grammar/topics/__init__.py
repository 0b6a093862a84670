"""The topics of the conformance vectors: one function each, which needs nothing of the package."""
