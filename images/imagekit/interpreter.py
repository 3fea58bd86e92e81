# SPDX-License-Identifier: Apache-2.0
"""A suite's own Python, unpacked and run on the host to compile what its guests import.

Compiled code is of one minor version of Python, and the host's need not be the guests'. The
interpreter comes out of the store of packages with the C library that it was linked to, and is
started through that library's loader: nothing is installed, no root directory changed, and the host
may be older or newer than the suite.

A folder of an interpreter holds

    version         as in 3.13, one line
    bin/python      the program
    lib/            the loader and the shared libraries
    lib/python3.13/ the part of the standard library that compiling takes
"""

import glob
import os
import re
import shutil
import subprocess

from . import architecture
from .report import BuildError

LIBRARIES = ("libc6", "libexpat1", "zlib1g")

COMPILE = """
import marshal, sys
from importlib import _bootstrap_external as external, util
source = sys.stdin.buffer.read()
code = compile(source, sys.argv[1], "exec", dont_inherit=True, optimize=0)
sys.stdout.buffer.write(external._code_to_hash_pyc(code, util.source_hash(source), False))
"""


def fetch(packages, report, target):
    """Fills the folder `target` with the Python of the suite of `packages`, which are this machine's."""
    depends = packages.field("python3-minimal", "Pre-Depends")
    match = re.search(r"\bpython(3\.\d+)-minimal\b", depends)
    if match is None:
        raise BuildError(f"the suite {packages.suite} has no Python")
    version = match[1]
    unpacked = target + ".unpacked"
    for name in (f"python{version}-minimal", f"libpython{version}-minimal", *LIBRARIES):
        report.run("interpreter", ["dpkg-deb", "--extract", packages.fetch_one(name), unpacked],
                   failure=f"the package {name} could not be unpacked")
    library = os.path.join(target, "lib")
    os.makedirs(library)
    os.mkdir(os.path.join(target, "bin"))
    for folder in ("lib", "usr/lib"):
        for path in glob.glob(os.path.join(unpacked, folder, packages.architecture.triplet, "*.so*")):
            shutil.copy(path, library)
    shutil.copy(os.path.join(unpacked, f"usr/bin/python{version}"),
                os.path.join(target, "bin/python"))
    shutil.copytree(os.path.join(unpacked, f"usr/lib/python{version}"),
                    os.path.join(library, f"python{version}"), symlinks=True,
                    ignore=shutil.ignore_patterns("sitecustomize.py"))   # a link into /etc
    shutil.rmtree(unpacked)
    with open(os.path.join(target, "version"), "w", encoding="ascii") as file:
        file.write(version + "\n")


def cache_tag(folder):
    """What stands between the name and `.pyc` of a module that this interpreter compiled."""
    with open(os.path.join(folder, "version"), encoding="ascii") as file:
        return "cpython-" + file.read().strip().replace(".", "")


def compile_module(folder, source, path):
    """Compiles in a process of its own, whose hash seed is fixed: the order of a constant set would
    differ from build to build otherwise."""
    library = os.path.join(folder, "lib")
    done = subprocess.run([os.path.join(library, architecture.native().loader), "--library-path", library,
                           os.path.join(folder, "bin/python"), "-S", "-c", COMPILE, path],
                          input=source, capture_output=True, check=False,
                          env={"PYTHONHASHSEED": "0", "PYTHONHOME": folder})
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise BuildError(f"the worker {path} does not compile: {text[-1] if text else 'no reason'}")
    return done.stdout
