"""Set-up and start: what the Makefile calls. Needs nothing but Python's standard library."""
