"""Constants as facilities and programs write them, made into datasets that a formula can take."""
