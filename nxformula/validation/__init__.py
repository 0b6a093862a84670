"""What a file must be: checks on descriptions that are detached from HDF5."""
