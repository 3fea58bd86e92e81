# SPDX-License-Identifier: Apache-2.0
"""Builds what a guest boots from; `images/build` is the program, see its --help."""
