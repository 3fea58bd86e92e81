# SPDX-License-Identifier: Apache-2.0
"""sys is the program's, too: without any of its names a session goes on, and a program ends as it does
with the interpreter alone."""

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import FINAL, PYTHON, worker

NAMES = sorted({*dir(sys), 'last_exc', 'last_type', 'last_value', 'last_traceback'} - {'__doc__', '__name__'})


@pytest.mark.parametrize('changed', ['del sys.__dict__[name]', 'sys.__dict__[name] = None',
                                     'sys.__dict__[name] = type("Other", (), {})()'])
def test_a_session_goes_on(tmp_path, changed):
    program = tmp_path / 'prog.py'
    program.write_text('y = 5\n')
    with worker('python') as py:
        py.run('import sys; names, everything = sys.__dict__, dict(sys.__dict__)')
        for name in NAMES:
            py.run(f'name = {name!r}\nif name in names: {changed}')
            for code, options in (('1/0', {}), ('7', {}), ('raise SystemExit(3)', {}), ('x = (', {}),
                                  ('', {'file': str(program), 'argv': ('prog.py', 'a')}),
                                  ('print(6)', {'argv': ('-c', 'b')})):
                done = py.run(code, **options)
                if code in ('1/0', 'x = ('):
                    assert done.exit == 1, (name, code)
                elif code.startswith('raise'):
                    assert done.exit == 3, name
            py.settings(entropy=b'z' * 32)
            py.run('names.clear(); names.update(everything)')
            assert py.run('print(x if "x" in globals() else y)').out == b'5\n', name


@pytest.mark.parametrize('name', NAMES)
def test_a_program_ends(name):
    code = f'import sys\nprint("a", flush=True)\nsys.__dict__.pop({name!r}, 0)\nraise SystemExit(3)'
    real = subprocess.run([PYTHON, '-c', code], capture_output=True, stdin=subprocess.DEVNULL)
    with worker('python') as py:
        done = py.run(code, flags=FINAL, argv=('-c',))
    assert (done.exit, done.out) == (real.returncode, real.stdout), done.err
    assert (done.err == b'') == (real.stderr == b''), (done.err, real.stderr)


@pytest.mark.parametrize('clear', ['sys.modules.clear()', 'list(map(sys.modules.pop, set(sys.modules) - {"sys"}))',
                                   'for name in set(sys.modules) - {"sys", "builtins"}: sys.modules[name] = None'])
def test_a_session_without_modules_goes_on(clear):
    """Also where what the worker needs for a thing was not needed before."""
    with worker('python') as py:
        py.run(f'import sys\n{clear}')
        assert py.run('1/0').exit == 1
        assert py.run('6 * 7').value == '42'
        assert py.run('!exit 3').exit in (0, 1)
        py.settings(entropy=b'z' * 32)
        assert py.run('print("on")').out == b'on\n'


@pytest.mark.parametrize('clear', ['sys.modules.clear()', 'list(map(sys.modules.pop, set(sys.modules) - {"sys"}))'])
def test_a_program_without_modules_ends(clear):
    with worker('python') as py:
        done = py.run(f'import sys\nprint("a")\n{clear}\nsys.exit(3)', flags=FINAL, argv=('-c',))
    assert (done.exit, done.out) == (3, b'a\n')
