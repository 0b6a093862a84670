"""HDF5 and NeXus: open files, resolve links, bind symbols, calibrate on read, write."""
