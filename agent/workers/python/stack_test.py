# SPDX-License-Identifier: Apache-2.0
"""What a program sees of itself and of the stack is its own: nothing of the worker's shows."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reference_testing import Reference, compare, plain
from harness import FINAL, worker

VERSION = eval(Reference('import sys; print(sys.version_info[:2])').out)
OF_3_12 = ('error in a thread', 'recursion')


SAME = {
    'format_stack': 'import traceback\ndef f(): return traceback.format_stack()\nprint("".join(f()))',
    'print_stack': 'import traceback\nclass A:\n  def m(self): traceback.print_stack()\nA().m()',
    'inspect.stack': 'import inspect\nprint([(f.filename, f.lineno, f.function) for f in inspect.stack()])\n'
                     'def f(): return len(inspect.stack())\nprint(f())',
    'outermost frame': 'import sys\nprint(sys._getframe().f_back, sys._getframe().f_code.co_name)\n'
                       'try: sys._getframe(1)\nexcept ValueError as e: print(e)',
    'frames of threads': 'import sys, threading\nfor f in sys._current_frames().values():\n'
                         '  while f: print(f.f_code.co_filename, f.f_lineno); f = f.f_back',
    'faulthandler': 'import faulthandler\nfaulthandler.dump_traceback(all_threads=True)',
    'warning at top level': 'import warnings\nwarnings.warn("one", stacklevel=2)\nwarnings.warn("two", stacklevel=9)\n'
                            'warnings.warn("three")',
    'warning of a function': 'import warnings\ndef f(): warnings.warn("deep", stacklevel=2)\ndef g(): f()\ng()',
    'deprecation': 'import warnings\nwarnings.warn("old", DeprecationWarning)\nwarnings.warn("old 2", DeprecationWarning, stacklevel=2)',
    'never awaited': 'async def f(): pass\nx = 1\nf()\ny = 2',
    'never awaited in a function': 'async def f(): pass\ndef g():\n  f()\n  return 1\nx = g()',
    'exception': 'def f(n):\n  if n: return f(n - 1)\n  raise ValueError(n)\nf(3)',
    'exception group': 'raise ExceptionGroup("several", [ValueError(1), ExceptionGroup("in", [KeyError("k")])])',
    'chained': 'try:\n  1 / 0\nexcept ZeroDivisionError as e:\n  raise KeyError("k") from e',
    'context': 'try:\n  {}[1]\nexcept KeyError:\n  [][1]',
    'notes': 'e = ValueError("v")\ne.add_note("first\\nsecond")\nraise e',
    'suggestion of a name': 'value = 1\nvalu',
    'suggestion of an attribute': 'import collections\ncollections.dequee',
    'suggestion of an import': 'from collections import dequee',
    'recursion': 'import sys\nsys.setrecursionlimit(120)\ndef f(): f()\nf()',
    'syntax error': 'x = 1\nif x\n  pass',
    'syntax error of the compiler': 'x = 1\ndef f():\n  nonlocal y',
    'return': 'x = 1\nreturn x',
    'import of what fails': 'import json.nothing',
    'error in a callback': 'sorted([1, 2], key=lambda n: 1 / 0)',
    'error in __del__': 'class D:\n  def __del__(self): 1 / 0\nd = D()\ndel d\nprint("on")',
    'error in a thread': 'import threading\ndef f(): 1 / 0\nt = threading.Thread(target=f, name="mine")\nt.start(); t.join()',
    'error in a weakref callback': 'import weakref\nclass C: pass\nc = C()\nr = weakref.ref(c, lambda r: 1 / 0)\ndel c',
    'error in str': 'class E(Exception):\n  def __str__(self): raise RuntimeError\nraise E',
    'stack in str': 'import traceback\nclass E(Exception):\n  def __str__(self):\n    return str(any("glass" in l for l in traceback.format_stack()))\nraise E',
    'own excepthook': 'import sys, traceback\ndef hook(kind, e, t):\n  print(kind.__name__, e, [f.name for f in traceback.extract_tb(t)], sys._getframe().f_back)\n'
                      'sys.excepthook = hook\ndef g(): 1 / 0\ng()',
    'broken excepthook': 'import sys\ndef hook(*a): raise KeyError("hook")\nsys.excepthook = hook\n1 / 0',
    'format_exc': 'import traceback\ntry: int("x")\nexcept ValueError: print(traceback.format_exc())',
    'exc_info': 'import sys\nprint(sys.exc_info(), hasattr(sys, "last_value"), hasattr(sys, "last_exc"))',
    'gettrace': 'import sys\nprint(sys.gettrace(), sys.getprofile(), sys.exc_info())',
    'profile': 'import sys\nseen = []\nsys.setprofile(lambda f, e, a: seen.append(f.f_code.co_name) if e in ("call", "return") else None)\n'
               'def f(): pass\nf()\nsys.setprofile(None)\nprint(seen)',
    'task': 'import asyncio\nasync def f():\n  print(sorted(t.get_name() for t in asyncio.all_tasks()), asyncio.current_task().get_coro().__qualname__)\n'
            '  1 / 0\nasync def main():\n  t = asyncio.create_task(f())\n  try: await t\n  except ZeroDivisionError as e: print(e)\nasyncio.run(main())',
    'unretrieved task': 'import asyncio, gc\nasync def f(): 1 / 0\nasync def main():\n  t = asyncio.create_task(f(), name="t")\n  await asyncio.sleep(0)\n'
                        'asyncio.run(main()); gc.collect()',
    'asyncio.run fails': 'import asyncio\nasync def f(): raise ValueError("f")\nasyncio.run(f())',
    'subinterpreter of exec': 'exec("import traceback\\nprint(traceback.format_stack())")',
    'interactive help': 'def f(a, b=1):\n  "Doc of f."\nhelp(f)',
    'pydoc': 'import pydoc\nclass C:\n  "Doc of C."\n  def m(self): pass\nprint(pydoc.render_doc(C))',
    'main': 'import sys\nm = sys.modules["__main__"]\nprint(m.__name__, m.__dict__ is globals(), __name__, __doc__, __package__)',
    'recursive repr': 'class R:\n  def __repr__(self):\n    import inspect\n    return str(len(inspect.stack()))\nprint(R())',
    'colours asked for': 'import os\nos.environ["FORCE_COLOR"] = "1"\n1 / 0',
    'colours': '1 / 0',
    'locals': 'x = 1\nprint(locals() is globals(), "x" in locals())\ndef f():\n  y = 2\n  l = locals(); l["y"] = 3\n  return y, sorted(locals())\nprint(f())',
    'resource warning': 'import warnings\nwarnings.simplefilter("always")\ndef f(): open("/dev/null")\nf()',
    'coroutine of a failed call': 'async def f(): pass\ndef g(c): raise ValueError("g")\nc = f()\nc.close()\ng(1)',
}


@pytest.mark.parametrize('name', SAME)
def test_as_a_program_of_its_own(py, name):
    if name in OF_3_12 and VERSION < (3, 12):
        pytest.skip('written in C before 3.12, which does not look for the lines of a cell')
    result = compare(py, SAME[name])
    assert b'glassbell' not in result.out + result.err
    assert py.run('"next"').value == "'next'"


def test_names_of_the_namespace(py):
    names = py.run('sorted(dir())').value
    assert names == py.run('sorted(globals())').value
    theirs = Reference('print(sorted(set(dir()) - {"__file__", "__cached__"}))').out.decode().strip()
    assert names == theirs
    assert py.run('(__name__, __doc__, __package__, __spec__)').value == "('__main__', None, None, None)"
    assert py.run('import sys; sys.argv, sys.orig_argv[1:], sys.path[0]').value == "([''], [], '')"
    builtins = Reference('import builtins; print(sorted(dir(builtins)))').out.decode().strip()
    extra = set(eval(py.run('import builtins; sorted(set(dir(builtins)) - {"_"})').value)) - set(eval(builtins))
    assert extra == {'display'}


def test_stack_in_what_the_worker_calls(py):
    """Methods of the user's that are called for his value, his streams, his hooks."""
    py.run('import traceback, sys\nstacks = []\n'
           'def note(): stacks.append("".join(traceback.format_stack()))\n'
           'class V:\n  def __repr__(self): note(); return "v"\n  def _repr_html_(self): note(); return "<b>"\n'
           'class S:\n  def write(self, t): note()\n  def flush(self): note()\n'
           '  @property\n  def closed(self): note(); return False\n'
           'def hook(*a): note()')
    assert py.run('V()').value == 'v'
    py.run('display(V())')
    py.run('sys.stdout = S(); print(1)')
    py.run('sys.stdout = sys.__stdout__; sys.stderr = S()\n1 / 0')
    py.run('sys.stderr = sys.__stderr__; sys.excepthook = hook\n1 / 0')
    py.run('sys.excepthook = sys.__excepthook__; sys.displayhook = hook\n1')
    py.run('sys.displayhook = sys.__displayhook__; import atexit; atexit.register(note)')
    seen = eval(py.run('stacks').value)
    assert len(seen) > 10 and not any('glassbell' in stack for stack in seen), seen
    assert not any('File "<cell' not in stack for stack in seen)


def test_signal_handlers_see_no_frame_of_ours(py):
    py.run('import os, signal, traceback\nseen = []\n'
           'def handler(number, frame): seen.append("".join(traceback.format_stack(frame)))\n'
           'signal.signal(signal.SIGUSR1, handler)')
    py.run('os.kill(os.getpid(), signal.SIGUSR1)')
    assert py.run('len(seen), any("glassbell" in s for s in seen)').value == '(1, False)'


def test_tracing_sees_no_call_of_ours(py):
    result = py.run('import sys\nseen = []\ndef trace(frame, event, arg):\n'
                    '  seen.append(frame.f_code.co_filename); return trace\n'
                    'sys.settrace(trace)\ndef f(): return 1\nf()')
    assert result.value == '1'
    assert py.run('x = f()').exit == 0  # It lasts.
    assert py.run('sys.settrace(None); sorted(set(seen))').value == "['<cell 1>', '<cell 2>', '<cell 3>']"


def test_unawaited_value_is_told_in_its_own_cell(py):
    first = py.run('async def f(): pass\n\nf()')
    assert first.value.startswith('<coroutine object f'), first
    assert b"<cell 1>:3: RuntimeWarning: coroutine 'f' was never awaited\n  f()\n" in first.err
    assert py.run('f()').err.startswith(b"<cell 2>:1: RuntimeWarning: coroutine 'f' was never awaited")
    assert py.run('c = f()\nc').err == b''
    assert py.run('1 / 0').err.count(b'never awaited') == 0
    assert py.run('await c').err == b''
    assert b'<cell 6>:1: RuntimeWarning' not in py.run('d = f()').err
    dropped = py.run('x = 1\ndel d')
    assert dropped.err.startswith(b'<cell 7>:2: RuntimeWarning'), dropped


@pytest.mark.parametrize('code, line', [
    ('import asyncio\nasync def main(): pass\nawait asyncio.sleep(0)\nasyncio.run(main())\nx = 1', 4),
    ('async def f(): pass\ndef g():\n  c = f()\n  raise ValueError\ng()', 4),
    ('async def f(): pass\ndef g(c):\n  raise ValueError\ndef h():\n  g(f())\nh()', 3),
])
def test_unawaited_in_a_call_that_failed_is_told_in_its_own_cell(py, code, line):
    result = py.run(code)
    assert result.exit == 1 and b'Traceback' in result.err
    assert b'RuntimeWarning: coroutine ' in result.err and b'glassbell' not in result.err, result
    assert f'<cell 1>:{line}: RuntimeWarning'.encode() in result.err, result
    assert py.run('1 / 0').err.count(b'never awaited') == 0


def test_a_coroutine_that_is_still_wanted_is_left_alone(py):
    result = py.run('async def f(): return 5\nc = f()\ndef g(c): raise ValueError\ng(c)')
    assert b'never awaited' not in result.err
    assert py.run('await c').value == '5'


def test_the_last_exception_is_kept_as_at_the_prompt(py):
    py.run('def f(x): 1 / 0\nf(1)')
    assert py.run('import sys; sys.last_value').value == "ZeroDivisionError('division by zero')"
    assert py.run('[t.tb_frame.f_code.co_filename for t in [sys.last_traceback, sys.last_traceback.tb_next]], '
                  'sys.last_traceback.tb_next.tb_next').value == "(['<cell 1>', '<cell 1>'], None)"


def test_exit_hooks_and_threads_of_a_program():
    code = ('import atexit, threading, traceback\n'
            'def bye():\n  traceback.print_stack(); 1 / 0\natexit.register(bye)\n'
            'def late(): 1 / 0\nthreading.Thread(target=late).start()\nprint("main")')
    with worker('python') as py:
        result = py.run(code, flags=FINAL)
        program = Reference(code)
        assert result.out == program.out and b'glassbell' not in result.err, result
        assert VERSION < (3, 12) or sorted(plain(result.err).splitlines()) == sorted(plain(program.err).splitlines())
