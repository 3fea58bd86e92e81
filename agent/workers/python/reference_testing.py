# SPDX-License-Identifier: Apache-2.0
"""What python3 itself does: a file, run with pipes."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import PYTHON

PLAIN = {'LANG': 'C.UTF-8', 'PATH': '/usr/local/bin:/usr/bin:/bin', 'PYTHONDONTWRITEBYTECODE': '1',
         'TERM': 'dumb'}


class Reference:
    """Output, errors (the file is called as the cell is) and exit code of a program."""

    def __init__(self, code, stdin=b'', name='<cell 1>', env=None):
        with tempfile.TemporaryDirectory(prefix='reference-') as folder:
            path = os.path.join(folder, 'program.py')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(code)
            done = subprocess.run([PYTHON, path], input=stdin, capture_output=True, cwd=folder,
                                  env={**PLAIN, 'HOME': folder, **(env or {})}, check=False)
            self.out = done.stdout.replace(path.encode(), name.encode())
            self.err = done.stderr.replace(path.encode(), name.encode())
            self.exit = done.returncode


def plain(output):
    """Without addresses."""
    return re.sub(rb'0x[0-9a-f]{6,}', b'0x', output)


def compare(py, code, **options):
    """Runs code as a cell and as a program; both have to do the same. Gives the cell's result."""
    result = py.run(code, **options)
    options.pop('flags', None)
    program = Reference(code, name=f'<cell {py.number}>', **options)
    assert result.ending or not result.gone, result
    assert (plain(result.out), plain(result.err), result.exit) == (
        plain(program.out), plain(program.err), program.exit), (
        f'{result}\nand the program: exit {program.exit}\nout {program.out!r}\n'
        f'err {program.err.decode(errors="replace")}')
    return result
