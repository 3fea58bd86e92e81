"""Builds what a guest boots from; `images/build` is the program, see its --help."""
