# SPDX-License-Identifier: Apache-2.0
"""The Python worker, driven through its channels."""

import contextlib
import hashlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reference_testing import Reference
from harness import FINAL, INTERACTIVE, PYTHON, STALE_SIGINT, VALUE_CUT, Worker, field, served, u32, worker


@pytest.fixture
def program(tmp_path):
    """Runs a file in a worker of its own, and what it came to."""
    def run(content, *args, name='prog.py', flags=FINAL, py=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with worker('python') if py is None else contextlib.nullcontext(py) as runner:
            return runner.run(b'', file=str(path), argv=(name, *args), flags=flags)
    return run


def real_python(folder, name, *args):
    env = {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}
    done = subprocess.run(['/usr/bin/python3', '-X', 'utf8', name, *args], cwd=folder, capture_output=True,
                          stdin=subprocess.DEVNULL, env=env)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize('content', [
    'import sys; print(sys.argv, __file__, __name__, sys.path[0], sys.orig_argv[-2:], sorted(globals()))',
    'import atexit, threading, time\natexit.register(print, "bye")\n'
    'threading.Thread(target=lambda: (time.sleep(.1), print("late"))).start()\nprint("main")',
    'class D:\n    def __del__(self): print("gone")\nd = D()\nf = open("out", "w"); f.write("kept")',
    'import sys; sys.exit("words")', 'import sys; sys.exit(300)', 'raise SystemExit', '1/0', 'x = (1,', '',
    'def f():\n    raise KeyError(1)\ntry:\n    f()\nexcept KeyError:\n    int("x")\n',
    b'# coding: latin-1\nprint(ascii("\xe9"))', b'print("\xe9")', b'print("a\0b")', b'\xef\xbb\xbfprint(1)\r\n',
    'import asyncio\nasync def f(): print("x")\nasyncio.run(f())', 'await f()', 'return 1',
    'import sys; sys.stdout.write("no newline")',
])
def test_a_program_is_as_python3_runs_it(program, tmp_path, content):
    done = program(content, 'a', 'b c')
    real = real_python(tmp_path, 'prog.py', 'a', 'b c')
    assert (done.exit, done.out, done.err.replace(b'/usr/bin/python3: ', b'')) == real


CLASS = ('class D:\n    def __init__(self, name): self.name = name\n'
         '    def __del__(self): print("end of", self.name, flush=FLUSH)\nFLUSH = False\n')


# What the interpreter does between the last line of a program and the end of the process.
@pytest.mark.parametrize('content', [
    'b = D("b"); _a = D("_a"); a = D("a"); print("over")',
    'def log(text): print("log", text)\nclass E:\n    def __del__(self): log(helper.name)\n'
    'helper = D("helper"); e = E()',
    'a = D("a"); a.other = D("b"); a.other.other = a',
    'import builtins, sys; builtins.kept = D("in builtins"); sys.kept = D("in sys")',
    'import os; os.kept = D("in os")', 'import types; types.kept = D("in types")',
    'import os; os.getcwd = D("instead of getcwd")',
    'import mine; mine.kept.append(D("in a module of the program\'s"))',
    'import mine, sys; mine.kept.append(D("in a hidden module")); del sys.modules["mine"]',
    'import contextvars; v = contextvars.ContextVar("v"); v.set(D("in a context"))',
    'def g():\n    try:\n        yield\n    finally:\n        print("end of g")\nx = g(); next(x)',
    'def keep(x):\n    file = open("out", "w"); file.write("kept")\n    return lambda: file\nf = keep(1)',
    'import io, sys; sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False)); print("own"); d = D("d")',
    'import sys; sys.stdout = None; d = D("d")', 'import sys; sys.stdout.close(); d = D("d")',
    'import os, sys; sys.stdout.write("lost"); os.close(1)', 'import os; d = D("d"); print("x"); os.close(2)',
    'class E:\n    def __del__(self): 1 / 0\ne = E()\n',
    'import weakref\nd = D("d"); r = weakref.ref(d, lambda r: print("gone")); weakref.finalize(d, print, "first")',
    'import atexit, os; d = D("d"); atexit.register(os._exit, 7)',
    'import os, sys\nclass E:\n    def __del__(self): os._exit(9 if sys.is_finalizing() else 8)\ne = E()',
    'import gc; gc.disable(); a = D("a"); a.a = a; print("no collector")',
    'import gc; gc.freeze(); a = D("a"); a.a = a',
    'import atexit; atexit._clear(); d = D("d")', 'import atexit; atexit._run_exitfuncs(); d = D("d")',
    'import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start(); d = D("d")',
    'import threading\nt = threading.local(); t.d = D("of a thread")',
    'import sys, D_is_missing', 'import sys; d = D("d"); sys.exit(3)', 'd = D("d"); raise KeyError(d.name)',
    'import sys; d = D("d"); sys.exit("words")', 'FLUSH = True; d = D("d"); import sys; sys.stdout.write("held ")',
    'class E:\n    def __del__(self):\n        import json; print(json.dumps([1]))\ne = E(); e.e = e',
    'class E:\n    def __del__(self):\n        import json; print(json.dumps([1]))\ne = E()',
    'import logging\nclass H(logging.Handler):\n    def emit(self, r): print(r.msg)\n'
    '    def close(self): print("closed")\nlogging.getLogger().addHandler(H()); logging.error("x")',
    'import os\nif not os.fork():\n    d = D("child")\nelse:\n    os.wait(); d = D("parent")',
    'class E:\n    __slots__ = ()\n    def __del__(self): print("slots")\ne = E()',
    'class E(Exception):\n    def __del__(self): print("error")\ne = E()',
    'class M(type):\n    def __del__(cls): print("class", cls.__name__)\nclass E(metaclass=M): pass\n',
    'import weakref\nclass E: pass\ne = E(); r = weakref.ref(e, lambda r: print("gone"))',
    'import shelve; s = shelve.open("out"); s["a"] = [1]',
    'async def f():\n    try:\n        await g()\n    finally:\n        print("end of f")\n'
    'class g:\n    def __await__(self): yield\nx = f(); x.send(None)',
    'import collections, dataclasses, enum, json, re, typing\n@dataclasses.dataclass\nclass P:\n    x: int = 1\n'
    'class C(enum.Enum):\n    A = 1\nprint(json.dumps(P().__dict__), C.A, re.findall("a", "aa"))',
    'import tempfile; t = tempfile.TemporaryDirectory(dir="."); open(t.name + "/x", "w").close()',
])
@pytest.mark.parametrize('prepared', [False, True])
def test_a_program_ends_as_an_interpreter_does(tmp_path, content, prepared):
    (tmp_path / 'mine.py').write_text('kept = []\n')
    path = tmp_path / 'prog.py'
    path.write_text(CLASS + content)
    def plain(exit, out, err):
        return exit, out, re.sub(rb' at 0x[0-9a-f]+', b'', err.replace(bytes(tmp_path) + b'/', b''))

    real = plain(*real_python(tmp_path, 'prog.py'))
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    (tmp_path / 'out').unlink(missing_ok=True)
    with worker('python') as py:
        if prepared:
            py.prepare()
        done = py.run(b'import os; os.chdir(%r)' % str(tmp_path).encode(), flags=0)
        done = py.run(b'', file=str(path), argv=('prog.py',), flags=FINAL)
    assert plain(done.exit, done.out, done.err) == real
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == left


def test_a_program_in_a_session_leaves_its_names(program, tmp_path):
    with worker('python') as py:
        py.run('import sys; y = 5; sys.path.insert(0, "/first")')
        done = program('x = y + 1\nprint(sys.argv, __file__, sys.path[0])', 'q', flags=0, py=py)
        assert done.out.decode() == f"['prog.py', 'q'] {tmp_path}/prog.py {tmp_path}\n" and done.exit == 0
        assert py.run('print(x, sys.argv, sys.path[0], __file__)').out.decode() == \
            f"6 [''] /first {tmp_path}/prog.py\n"
        assert py.run('print(sys.argv)', argv=('-c', 'a')).out == b"['-c', 'a']\n"
        assert py.run('', file=f'{tmp_path}/missing.py', argv=('missing.py',)).exit == 2


@pytest.mark.parametrize('code, out, err', [
    (b'# coding: latin-1\nprint(ascii("\xe9"))', b"'\\xe9'\n", b''),
    (b'#!/usr/bin/python3\r\n# -*- coding: cp1252 -*-\r\nprint(ascii("\x80"))', b"'\\u20ac'\n", b''),
    (b'# coding: latin-1\n# coding: cp1252\nprint(ascii("\x80"))', b"'\\x80'\n", b''),
    (b'#\n\n# coding: latin-1\nprint("\xe9")', b'', b"Non-UTF-8 code starting with '\\xe9' on line 4"),
    (b'x = 1\n# coding: latin-1\nprint("\xe9")', b'', b'on line 3, but no encoding declared'),
    (b'# coding: no-such\nprint("\xe9")', b'', b'SyntaxError: encoding problem: no-such\n'),
    (b'# coding: hex\nprint("\xe9")', b'', b'SyntaxError: encoding problem: hex\n'),
    (b'# coding: ascii\nprint("\xe9")', b'', b"(unicode error) 'ascii' codec can't decode byte 0xe9"),
])
def test_bytes_that_are_no_file(code, out, err):
    with worker('python') as py:
        done = py.run(code, argv=('-',))
        assert (done.out, done.exit) == (out, 1 if err else 0) and err in done.err
        assert b'Traceback' not in done.err and b'glassbell' not in done.err


@pytest.mark.parametrize('code', [
    b'# coding: latin-1\nprint(ascii("\xc3\xa9"))', b'# coding: utf-8\nprint(ascii("\xc3\xa9"))',
    b'#!/usr/bin/python3\n# -*- coding: cp1252 -*-\nprint(ascii("\xe2\x82\xac"))',
    b'\n# vim: set fileencoding=iso-8859-15 :\nprint(ascii("\xc2\xa4"))',
    b'# coding: utf-7\nprint(ascii("+AOk-"), ascii("\\xe9"))', b'# coding: latin-1\rprint(ascii("\xc3\xa9"))\r',
    b'# coding: UTF_8-unix\nprint(ascii("\xc3\xa9"))', b'# coding: utf-8-sig\nprint(ascii("\xc3\xa9"))',
    b'x = 1\n# coding: latin-1\nprint(ascii("\xc3\xa9"))', b'#\n\n# coding: latin-1\nprint(ascii("\xc3\xa9"))',
    b'\xef\xbb\xbfprint(ascii("\xc3\xa9"))', b'\xef\xbb\xbf# coding: utf-8\nprint(ascii("\xc3\xa9"))',
    b'\xef\xbb\xbf# coding: latin-1\nprint(1)', b'# coding: no-such\nprint(1)', b'# coding: ascii\nprint("\xc3\xa9")',
    b'# coding: rot13\ncevag(1)', b'# coding: ascii\nprint(1)', b'print(ascii("\xc3\xa9"))  # coding: latin-1\n'])
def test_a_program_from_standard_input_names_its_encoding(tmp_path, code):
    """PEP 263: what the line says holds, whether the bytes are UTF-8, too, or not; as `python3 - <FILE` has it."""
    (tmp_path / 'code').write_bytes(code)
    with (tmp_path / 'code').open('rb') as file:
        real = subprocess.run([PYTHON, '-X', 'utf8', '-'], stdin=file, capture_output=True)
    with worker('python') as py:
        done = py.run(code, argv=('-',))
        assert (done.exit, done.out) == (real.returncode, real.stdout), done.err
        assert (b'SyntaxError: ' in done.err) == (b'SyntaxError: ' in real.stderr), (done.err, real.stderr)


@pytest.mark.parametrize('argv', [(), ('-c',), ('-c', 'a')])
def test_code_that_is_text_has_no_encoding(argv):
    """The line is a comment there, as in `python3 -c` and for compile() of a string."""
    with worker('python') as py:
        assert py.run('# coding: latin-1\nprint(ascii("\xe9"))', argv=argv).out == b"'\\xe9'\n"


@pytest.mark.parametrize('flags', [0, FINAL])
def test_a_program_that_is_a_fifo(tmp_path, flags):
    """`python3 FIFO`, also what `python3 <(…)` becomes: it is opened once, and read to its end."""
    code = b'import sys\nprint(sys.argv, __file__)\n#' + b'x' * 200000 + b'\nsys.exit(4)\n'
    with served(tmp_path / 'pipe', code) as path, worker('python') as py:
        done = py.run('', file=str(path), argv=('pipe', 'a'), flags=flags)
    assert done.out.decode() == f"['pipe', 'a'] {path}\n" and done.exit == 4 and done.err == b''


def test_a_final_cell_tells_its_value_and_ends():
    with worker('python') as py:
        done = py.run('import atexit; atexit.register(print, "bye")\n6 * 7', flags=FINAL)
        assert (done.out, done.value, done.exit, done.ending) == (b'bye\n', '42', 0, True)


def test_state_is_kept(py):
    assert py.run('x = 42').exit == 0
    assert py.run('print(x)').out == b'42\n'
    py.run('import math\ndef area(r): return round(math.pi*r*r, 2)\nclass P: n = 3')
    assert py.run('print(area(2), P.n)').out == b'12.57 3\n'


@pytest.mark.parametrize('code, exit, text', [
    ("raise ValueError('boom')", 1, b'ValueError: boom'),
    ('def broken(', 1, b'SyntaxError'),
    ('return 3', 1, b"    return 3\n"),
    ('import sys; sys.exit(0)', 0, b''),
    ('import sys; sys.exit(-1)', 255, b''),
    ('import sys; sys.exit(256)', 0, b''),
    ('import sys; sys.exit(137)', 137, b''),
    ("import sys; sys.exit('fatal: msg')", 1, b'fatal: msg\n'),
    ('exit()', 0, b''),
    ('quit(4)', 4, b''),
    ('def f(): f()\nf()', 1, b'RecursionError'),
    ('exit_code = 7', 0, b''),
    ("sentinel_id = code = header = ns = sys = 'q'", 0, b''),
    ('import builtins\nfor n in ("compile","eval","print","len"): delattr(builtins, n)', 0, b''),
    ('x = "a\0b"', 1, b'null bytes'),
    ('import sys; sys.setrecursionlimit(60)', 0, b''),
    ('class E(Exception):\n def __str__(self): 1/0\nraise E', 1, b'E: '),
    ('class R:\n def __repr__(self): return 1/0\nR()', 1, b'ZeroDivisionError'),
    ('import sys; sys.settrace(lambda *a: None)', 0, b''),
    ('raise SystemExit(True)', 1, b''),
])
def test_session_survives(py, code, exit, text):
    py.run('e = keep = 5')
    result = py.run(code)
    assert result.exit == exit and text in result.err, result
    if not text:
        assert result.err == b'', result
    again = py.run('import sys; sys.stdout.write(str(keep + e) + "\\n")')
    assert again.out == b'10\n', again


def test_value(py):
    assert py.run('1 + 1').value == '2'
    assert py.run('_ + 1').value == '3'
    assert py.run("'_' in globals()").value == 'False'
    assert py.run('None').value is None
    assert py.run('a = 1').value is None
    assert py.run("x = 3\n'ü€' * x").value == "'ü€ü€ü€'"
    long = py.run("'€' * 600000")
    assert long.flags & VALUE_CUT and 0 <= (1 << 20) - len(long.value.encode()) < 3
    assert py.run("'\\ud800'").value == "'\\ud800'"
    assert py.run('import sys; sys.displayhook = lambda v: print("hook", v)').exit == 0
    hooked = py.run('7')
    assert hooked.out == b'hook 7\n' and hooked.value is None


def test_namespace_is_the_users_own(py):
    assert py.run('sorted(n for n in globals() if not n.startswith("__"))').value == '[]'
    assert py.run('__name__').value == "'__main__'"
    assert py.run('import sys; sys.argv, sys.path[0]').value == "([''], '')"
    assert py.run('sys.modules["__main__"].__dict__ is globals()').value == 'True'
    assert py.run('hasattr(__builtins__, "exit")').value == 'True'
    assert py.run('import threading; threading.active_count()').value == '1'


def test_descriptors(py):
    listed = 'import os\nsorted(int(n) for n in os.listdir("/proc/self/fd") if int(n) < 100)[:3]'
    assert py.run(listed).value == '[0, 1, 2]'
    child = 'import subprocess, sys\nsubprocess.run(["ls", "/proc/self/fd"], close_fds=False)'
    assert py.run(child).out.split() == [b'0', b'1', b'2', b'3']


def test_traceback_shows_only_the_users_lines(py):
    py.run('def f(n):\n    return 1 / n')
    result = py.run('x = 0\nf(x)')
    whole = Reference('def f(n):\n    return 1 / n\nx = 0\nf(x)').err.decode()
    assert result.err.decode() == whole.replace('"<cell 1>", line 4', '"<cell 2>", line 2')
    near = py.run('value = 1\nvalu')
    assert b"name 'valu' is not defined. Did you mean: 'value'?" in near.err
    chained = py.run('try:\n  1/0\nexcept Exception as e:\n  raise KeyError("k") from e')
    assert b'direct cause' in chained.err and b'glassbell' not in chained.err
    awaited = py.run('import asyncio\nawait asyncio.sleep(0)\n{}[1]')
    assert awaited.err.count(b'File') == 1, awaited


def test_sources_of_cells(py):
    py.run('import inspect\ndef f():\n    return 1\nclass A:\n    x = 1\nclass B:\n    def m(self): pass')
    shown = py.run('print(inspect.getsource(f), inspect.getsource(A), inspect.getsource(B), sep="")')
    assert shown.out == (b'def f():\n    return 1\nclass A:\n    x = 1\n'
                         b'class B:\n    def m(self): pass\n\n'), shown
    here = py.run('import inspect\ndef g(): return 2\ninspect.getsource(g)')
    assert here.value == repr('def g(): return 2\n')


def test_output_is_exact(py):
    for size in (65535, 65536, 65537, 999999):
        result = py.run(f"print('x' * {size})")
        assert hashlib.sha256(result.out).digest() == hashlib.sha256(
            b'x' * size + b'\n').digest()
    assert py.run("print('€' * 4000)").out.decode() == '€' * 4000 + '\n'
    assert py.run('import sys; _ = sys.stdout.buffer.write(bytes(range(256)))').out == bytes(
        range(256))
    assert py.run("_ = sys.stderr.write('no newline')").err == b'no newline'
    assert py.run("print('a\\r\\nb\\rc\\x00\\x1b[1m😀', end='')").out.decode() == (
        'a\r\nb\rc\x00\x1b[1m😀')
    mixed = py.run("for i in range(1000): print(i); print(i, file=sys.stderr)")
    lines = ''.join(f'{n}\n' for n in range(1000)).encode()
    assert mixed.out == lines and mixed.err == lines


def test_output_streams(py):
    running = py.start("print('one')\ninput()\nprint('two')", flags=INTERACTIVE)
    running.until(lambda result: result.out == b'one\n')
    assert running.result.exit is None
    running.input(b'\n')
    assert running.finish().out == b'one\ntwo\n'


def test_streams_may_be_closed_or_replaced(py):
    py.run('import sys, io, os')
    assert py.run('sys.stdout.close()').exit == 0
    assert py.run('print(1)').out == b'1\n'
    py.run('sys.stderr = mine = io.StringIO()')
    assert py.run('1/0').exit == 1
    assert py.run('"ZeroDivisionError" in mine.getvalue()').value == 'True'
    py.run('mine.close()')
    assert b'ZeroDivision' in py.run('1/0').err
    py.run('sys.stdout = None; del sys.stderr')
    assert py.run('print(2); print(3, file=sys.stderr)').out == b'2\n'
    assert py.run('print("lost"); os.close(1); print("gone")').exit == 1
    assert py.run('print(4)').out == b'4\n'
    assert py.run('sys.stdout = open("o.txt", "w")').exit == 0
    assert py.run('print("to file")').out == b''
    assert (py.home / 'o.txt').read_text() == 'to file\n'
    py.run('os.closerange(0, 3)')
    assert py.run('sys.stdout = sys.__stdout__; print(5)').out == b'5\n'


@pytest.mark.parametrize('code, out', [
    ('''import os, sys
for _ in range(20):
    if os.fork() == 0: sys.exit(0)
for _ in range(20): os.wait()
print('PARENT_DONE:20')''', b'PARENT_DONE:20\n'),
    ('''import os
pid = os.fork()
if pid == 0: print('child')
else: os.waitpid(pid, 0); print('parent')''', b'child\nparent\n'),
    ('''import os, sys
pid = os.fork()
if pid == 0: sys.exit(99)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))''', b'99\n'),
    ('''import ctypes, os
libc = ctypes.CDLL(None)
pid = libc.fork()
if pid: os.waitpid(pid, 0); print('parent')''', b'parent\n'),
    ('''from multiprocessing import Pool
def f(x): return x * x
k = 10
with Pool(2) as p: print(p.map(f, [1, 2, 3]), p.map(lambda x: x + k, [1, 2]))''',
     b'[1, 4, 9] [11, 12]\n'),
    ('''import pickle
class C:
    def __init__(self): self.v = 4
print(pickle.loads(pickle.dumps(C())).v)''', b'4\n'),
    ('''from concurrent.futures import ProcessPoolExecutor
def g(x): return x + 1
with ProcessPoolExecutor(2) as e: print(list(e.map(g, [1, 2])))''', b'[2, 3]\n'),
])
def test_children(py, code, out):
    result = py.run(code)
    assert result.out == out and result.exit == 0 and result.err == b'', result
    assert py.run('print("next")').out == b'next\n'


def test_sleeping_children_do_not_hold_the_next_cell(py):
    result = py.run('''import os, time
for _ in range(3):
    if os.fork() == 0:
        time.sleep(1); print('late'); os._exit(0)''')
    assert result.exit == 0
    assert py.run("print('next')").out == b'next\n'


def test_output_of_background_process_stays_with_its_cell(py):
    first = py.start('import subprocess\np = subprocess.Popen(["sh", "-c", "read x; echo late"], '
                     'stdin=subprocess.PIPE)')
    first.until(lambda result: result.exit is not None)
    second = py.run('p.stdin.close(); p.wait()')
    assert second.out == b''
    assert first.finish(to_eof=True).out == b'late\n'


def test_crash_ends_the_worker_but_not_its_output(py):
    result = py.run("import os; print('before', flush=True); os._exit(42)")
    assert result.gone and result.out == b'before\n'
    assert os.waitstatus_to_exitcode(py.wait(10)) == 42


def test_forked_child_does_not_keep_the_channel_open(py):
    result = py.run('import os, time\nif os.fork() == 0: time.sleep(20)\nos._exit(5)')
    assert result.gone


def test_stdin(py):
    assert b'EOFError' in py.run('input()').err
    assert py.run('import sys; sys.stdin.read()').value == "''"
    assert py.run('import os; os.read(0, 10)', null_stdin=True).value == "b''"
    assert py.run('[input(), sys.stdin.read()]', stdin=b'one\ntwo\nthree').value == (
        "['one', 'two\\nthree']")
    assert py.run('sys.stdin.readline()', stdin='ü\nrest'.encode()).value == "'ü\\n'"
    assert py.run('sys.stdin.readline()', stdin=b'new').value == "'new'"
    asked = py.run('input("name? ")', stdin=b'me\n')
    assert asked.out == b'name? ' and asked.value == "'me'" and asked.waiting == []


def test_waiting_is_told(py):
    running = py.start('input("> ")', flags=INTERACTIVE)
    running.until(lambda result: result.waiting == [1])
    assert running.result.out == b'> '
    running.input(b'hello\n')
    assert running.finish().value == "'hello'"
    assert running.result.waiting == [1, 0]


def test_prepare_leaves_nothing_of_itself(py):
    py.prepare()
    assert py.run("sorted(n for n in globals() if not n.startswith('__'))").value == '[]'
    assert py.run("import sys; hasattr(sys, 'last_value')").value == 'False'
    assert b'<cell 3>' in py.run('1/0').err


def test_interrupt(py):
    for code in ('print("go")\nwhile True: pass', 'import time\nprint("go")\ntime.sleep(60)',
                 'import asyncio\nprint("go")\nawait asyncio.sleep(60)', 'print("go")\ninput()'):
        py.interrupt()
        running = py.start('x = 3\n' + code, flags=INTERACTIVE | STALE_SIGINT)
        running.until(lambda result: result.out == b'go\n')
        py.interrupt()
        result = running.finish()
        assert result.exit == 130 and result.interrupted and result.begun, result
        assert b'KeyboardInterrupt' in result.err and b'glassbell' not in result.err, result
        assert b'asyncio' not in result.err or b'await asyncio' in result.err
        py.interrupt()
        assert py.run('x', flags=STALE_SIGINT).value == '3'


def test_interrupt_before_the_cell_has_begun(py):
    py.interrupt()
    result = py.run('import time; time.sleep(60)')
    assert result.exit == 130 and result.interrupted, result
    assert py.run('1').value == '1'


def test_interrupt_may_be_handled(py):
    running = py.start('import time\ntry:\n  print("go"); time.sleep(60)\n'
                       'except KeyboardInterrupt: print("caught")')
    running.until(lambda result: result.out == b'go\n')
    py.interrupt()
    result = running.finish()
    assert result.out == b'go\ncaught\n' and result.exit == 0 and not result.interrupted


def test_top_level_await(py):
    code = 'import asyncio\nt = asyncio.create_task(asyncio.sleep(0.05, "late"))\nawait asyncio.sleep(0)'
    assert py.run(code).exit == 0
    assert py.run('await t').value == "'late'"
    assert py.run('asyncio.run(asyncio.sleep(0, 3))').value == '3'
    assert py.run('[x async for x in (i async for i in (await asyncio.sleep(0, r) for r in [])) ]'
                  ).value == '[]'
    assert py.run('import sys\nawait asyncio.sleep(0)\nsys.exit(6)').exit == 6
    assert py.run('await asyncio.sleep(0, 8)').value == '8'


def test_futures_do_not_leak_from_us_and_are_kept(py):
    code = 'import dataclasses\n@dataclasses.dataclass\nclass D:\n  x: int\ndataclasses.fields(D)[0].type'
    assert py.run(code).value == "<class 'int'>"
    py.run('from __future__ import annotations')
    assert py.run('def f(a: int): pass\nf.__annotations__').value == "{'a': 'int'}"


def test_language_details(py):
    assert py.run('\ufeffprint(1)').out == b'1\n'
    assert py.run('naïve = "ü"; print(naïve)').out == 'ü\n'.encode()
    assert py.run('len(str(10**100000))').value == '100001'
    (py.home / 'mymod.py').write_text('answer = 42\n')
    assert py.run('import mymod; mymod.answer').value == '42'
    assert py.run('if True:\r\n    y = 1\r\ny').value == '1'
    warned = py.run('import warnings\ndef w(): warnings.warn("hu")\nfor _ in range(3): w()')
    assert warned.err.count(b'UserWarning: hu') == 1 and b'warnings.warn("hu")' in warned.err


def test_environment(py):
    assert py.run('import os; os.environ["A"]', env={'A': 'é\tb'}).value == repr('é\tb')
    assert py.run('os.environ.get("A")').value is None
    py.settings(env={'B': '1'})
    assert py.run('os.environ["B"]', env={'B': '2'}).value == "'2'"
    assert py.run('os.environ["B"]; os.system("echo $B")').out == b'1\n'


def test_settings_reseed(py):
    py.run('import random; random.seed(1); s = random.getstate()')
    py.settings(entropy=b'one')
    first = py.run('random.random()').value
    py.settings(entropy=b'two')
    assert py.run('random.random()').value != first
    py.settings(entropy=b'one')
    assert py.run('random.random()').value == first


def test_threads_go_on(py):
    py.run('import threading, time\ngo = threading.Event(); seen = []\n'
           'def loop():\n  go.wait(); seen.append(1)\nt = threading.Thread(target=loop); t.start()')
    assert py.run('go.set(); t.join(5); seen').value == '[1]'


def test_final_runs_exit_hooks():
    with worker('python') as py:
        py.run('import atexit, threading, time\natexit.register(print, "bye")')
        result = py.run('threading.Thread(target=lambda: (time.sleep(.05), print("thread"))).start()\n'
                        'import sys; print("main"); sys.exit(3)', flags=FINAL)
        assert result.out == b'main\nthread\nbye\n' and result.exit == 3


def test_rich_values(py):
    result = py.run('class H:\n  def _repr_html_(self): return "<b>x</b>"\n'
                    '  def _repr_png_(self): return b"\\x89PNG"\n  def __repr__(self): return "H!"\nH()')
    assert result.value == 'H!'
    assert result.displays == [('image/png', b'\x89PNG'), ('text/html', b'<b>x</b>')]
    assert py.run('class B:\n  def _repr_html_(self): 1/0\nB()').exit == 0


def test_completion(py):
    py.run('import os\nclass A:\n  @property\n  def p(self): print("BAD"); return os\n'
           '  def meth(self, alpha, beta=1): pass\na = A(); a.inst = 3\n'
           'd = {"key one": 1}\ndef fun(first, second=2): pass\nopen("data.txt", "w").close()')
    start, end, found = py.complete('os.path.joi')
    assert (start, end, found) == (8, 11, {'join': 'function'})
    assert py.complete('a.')[2] == {'inst': 'instance', 'meth': 'function', 'p': 'instance'}
    assert py.complete('a.p.')[2] == {}
    assert py.complete('ü = os.pathc + 1', 12)[:2] == (7, 12)
    assert py.complete('impo')[2] == {'import': 'keyword'}
    assert py.complete('import os.pa')[2] == {'path': 'module'}
    assert py.complete('from os import getcwd')[2] == {'getcwd': 'function', 'getcwdb': 'function'}
    assert py.complete("d['k")[2] == {'key one': 'instance'}
    assert 'second=' in py.complete('fun(1, se')[2]
    assert py.complete('open("da')[2] == {'data.txt': 'path'}
    assert py.complete('Ex')[2] == {'Exception': 'class', 'ExceptionGroup': 'class'}
    assert py.complete('import o')[2].get('os') == 'module'
    py.run('class P:\n  @property\n  def __dict__(self): print("BAD"); return {}\n  x = 1\np = P()')
    assert py.complete('p.')[2] == {'x': 'instance'} and py.complete('p.x.re')[2] == {'real': 'instance'}
    assert py.run('print("same")').out == b'same\n'


DESCRIBED = r'''
import functools, json, os
class Deaf:
    def __repr__(self): print("BAD"); return "x"
    __str__ = __format__ = __repr__
def plain(a, b=1, /, c="x", *rest, d, e=Deaf(), f=(), **more):
    """
    First line of it.

    More of it.
    """
def only_named(*, a=-1, b=print, c=None, d=b"y"): pass
class Base:
    def __init__(self, size, *, name="n"): "not this"
class Kid(Base):
    """A kid."""
    def meth(self, alpha, beta=Deaf): "Does it."
    @classmethod
    def made(cls, how): pass
    @staticmethod
    def still(x): pass
    @property
    def prop(self): "Of the kid."; print("BAD")
class Meta(type):
    @property
    def __signature__(cls): print("BAD")
    @property
    def __doc__(cls): print("BAD"); return "x"
    def __getattribute__(cls, name): print("BAD"); return type.__getattribute__(cls, name)
class Odd(metaclass=Meta): pass
class Text(str):
    def strip(self, *a): print("BAD"); return "x"
    split = expandtabs = __getitem__ = strip
def texted(): pass
texted.__doc__ = Text("x")
texted.__wrapped__ = Deaf()
class Doc:
    @property
    def __doc__(self): print("BAD"); return "x"
    @property
    def __wrapped__(self): print("BAD")
    @property
    def __dict__(self): print("BAD"); return {}
    def __call__(self): print("BAD")
@functools.wraps(plain)
def wrapper(*a, **k): pass
@functools.lru_cache
def kept(n): "Kept."
class Asked(type):
    def __eq__(cls, other): print("BAD"); return False
    def __hash__(cls): print("BAD"); return 1
    def __getattribute__(cls, name): print("BAD"); return type.__getattribute__(cls, name)
class Mine(metaclass=Asked): pass
class Bag(dict):
    def __bool__(self): print("BAD"); return True
    def get(self, *a): print("BAD")
    __len__ = __bool__
class Row(tuple):
    def __bool__(self): print("BAD"); return True
    def __len__(self): print("BAD"); return 1
    def __getitem__(self, at): print("BAD")
class Holder:
    mine = Mine()
    def __init__(self): self.own = Mine()
class Word(str):
    def __format__(self, spec): print("BAD"); return "x"
def called(): pass
called.__name__ = Word("x")
def given(a=Holder.mine, b=called, c=type(Word("x"), (), {}), *, d=Mine): pass
def rows(a, b, *, c): pass
rows.__defaults__, rows.__kwdefaults__ = Row((1,)), Bag(c=2)
holder, bag = Holder(), Holder()
bag.__dict__ = Bag(inner=1)
import sys
sys.modules["bag"] = bag
kid, odd, doc = Kid(1), Odd(), Doc()
loud = lambda x="\033[31m" + "y" * 100: 0
exec("def many(" + ", ".join(f"p{i}" for i in range(5000)) + "): pass")
many.__doc__ = "é" * 100000
'''


def test_description(py):
    assert py.run(DESCRIBED).out == b''
    plain = '(a, b=1, /, c=\'x\', *rest, d, e=…, f=(), **more)'
    for name, told in {
            'plain': ('function', plain, 'First line of it.'),
            'wrapper': ('function', plain, 'First line of it.'),
            'x = [only_named': ('function', "(*, a=-1, b=print, c=None, d=b'y')", ''),
            'Base': ('class', "(size, *, name='n')", ''),
            'Kid': ('class', "(size, *, name='n')", 'A kid.'),
            'Deaf': ('class', '()', ''),
            'kid.meth': ('function', '(alpha, beta=Deaf)', 'Does it.'),
            'Kid.meth': ('function', '(self, alpha, beta=Deaf)', 'Does it.'),
            'kid.made': ('function', '(how)', ''), 'Kid.made': ('function', '(how)', ''),
            'kid.still': ('function', '(x)', ''),
            'kid.prop': ('instance', '', 'Of the kid.'),
            'kid': ('instance', '', ''), 'odd': ('instance', '', ''),
            'texted': ('function', '()', ''), 'doc': ('instance', '', ''),
            'holder.mine': ('instance', '', ''), 'holder.own': ('instance', '', ''), 'Holder.mine': ('instance', '', ''),
            'given': ('function', '(a=…, b=…, c=…, *, d=…)', ''), 'rows': ('function', '(a, b=1, *, c=2)', ''),
            'bag.inner': ('', '', ''), 'from bag import inner': ('', '', ''),
            'kept': ('instance', '(n)', 'Kept.'),
            'json': ('module', '', 'JSON (JavaScript Object Notation) <https://json.org> is a subset of'),
            'import js': ('', '', ''), 'import json': ('module', '', py.describe('json')[2]),
            'from os import getcwd': py.describe('os.getcwd'),
            'os.getcwd': ('function', '()', 'Return a unicode string representing the current working directory.'),
            '"".joi': ('', '', ''), "'plain": ('', '', ''), 'nothing': ('', '', ''), 'for': ('', '', ''),
            '': ('', '', ''), 'plain.': ('', '', ''), 'plain()': ('', '', ''), 'kid.x.y': ('', '', '')}.items():
        assert py.describe(name) == told, name
    assert py.describe('Odd')[0] == 'class'
    assert py.describe('max')[1].startswith('(iterable, *[, default=obj, key=func]) -> value')
    assert py.describe('len') == ('function', '(obj, /)', 'Return the number of items in a container.')
    assert py.describe('range')[2] == 'Return an object that produces a sequence of integers from start (inclusive)'
    # One line, and as long as it may be.
    assert py.describe('loud')[1] == repr('\033[31m' + 'y' * 35).join(('(x=', '…)'))
    _, signature, summary = py.describe('many')
    assert signature.startswith('(p0, p1, ') and 1000 <= len(signature.encode()) <= 1024
    assert set(summary) == {'é', '…'} and len(summary.encode()) <= 1024
    assert py.complete('holder.m')[2] == {'mine': 'instance'} and py.complete('from bag import ')[2] == {'mine': 'instance'}
    assert py.complete('import bag.')[2] == {}
    # That a line fits no pattern is found soon, or not looked for.
    assert py.complete('import ' + ', '.join(f'm{at}' for at in range(100)) + ' ]')[2] == {}
    for line in ('x' * 300000 + '(', 'x.' * 150000 + '('):
        assert py.complete(line)[2] == {} and py.describe(line) == ('', '', '')
    assert py.run('print("same")').out == b'same\n'  # and nothing printed meanwhile


def test_completeness(py):
    for code, status, indent in [
            ('x = 1', 'complete', ''), ('x = (', 'incomplete', '    '),
            ('if x:', 'incomplete', '    '), ('if x:\n    y', 'incomplete', '    '),
            ('if x:\n    y\n', 'complete', ''), ('"""a', 'incomplete', ''),
            ('1 +', 'invalid', ''), ('x = \\', 'incomplete', ''),
            ('def f():\n    return 1', 'incomplete', ''), ('await x', 'complete', '')]:
        assert py.is_complete(code) == (status, indent), code


def test_questions_are_answered_while_a_cell_runs(py):
    running = py.start('waiting_for = 1\nprint("go")\ninput()', flags=INTERACTIVE)
    running.until(lambda result: result.out == b'go\n')
    assert py.complete('waiting_')[2] == {'waiting_for': 'instance'}
    assert py.describe('print')[1] == "(*args, sep=' ', end='\\n', file=None, flush=False)"
    running.end_input()
    assert running.finish().exit == 1


def test_closed_channel_ends_the_worker():
    process = Worker('python')
    assert os.waitstatus_to_exitcode(process.close()) == 0


@pytest.mark.parametrize('message', [
    u32(0) + b'\x63\0\0\0', u32(1 << 30) + b'\1\0\0\0', u32(4) + b'\1\0\0\0' + u32(1),
    u32(9) + b'\2\0\0\0' + u32(0) + u32(0) + b'x', u32(0) + b'\2\1\0\0',
    u32(13) + b'\1\0\0\0' + u32(1) + b'\0' + u32(0) + u32(0),
    u32(12) + b'\2\0\0\0' + u32(1 << 31) + field(b'abcd'),
])
def test_violation_ends_the_worker(py, message):
    py.cells.sendall(message)
    assert os.waitstatus_to_exitcode(py.wait(10)) == 70


def test_signal_handlers_of_the_user_may_fire_between_cells(py):
    py.run('import signal\ndef h(*a): raise TimeoutError("late")\nsignal.signal(signal.SIGALRM, h)\n'
           'signal.setitimer(signal.ITIMER_REAL, 0.02)')
    os.kill(py.pid, signal.SIGALRM)
    time.sleep(0.05)
    assert py.run('1').value == '1'


def test_many_cells_stay_bounded(py):
    for _ in range(3):
        for _number in range(200):
            py.run('pass')
    assert py.run('import linecache; len([k for k in linecache.cache if k.startswith("<cell")])'
                  ).value == '512'


def test_parallel_workers_do_not_mix():
    def one(number, seen):
        with worker('python') as py:
            py.run(f'me = {number}')
            seen[number] = py.run('me').value

    seen = {}
    threads = [threading.Thread(target=one, args=(n, seen)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {0: '0', 1: '1', 2: '2'}
