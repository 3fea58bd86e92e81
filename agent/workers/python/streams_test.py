# SPDX-License-Identifier: Apache-2.0
"""Standard streams: those of python3 with pipes, whatever a program does to them."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from reference_testing import compare
from harness import FINAL, INTERACTIVE

PROPERTIES = '''
import sys
def look(what, thing):
    for name in sorted(n for n in dir(thing) if not n.startswith('_')):
        try:
            value = getattr(thing, name)
        except BaseException as error:
            value = repr(error)
        if not callable(value):
            print(what, name, repr(value))
    for method in ('tell', 'seekable', 'readable', 'writable', 'isatty', 'fileno', 'truncate'):
        try:
            print(what, method, repr(getattr(thing, method)()))
        except BaseException as error:
            print(what, method, repr(error))
    try:
        print(what, thing.seek(0))
    except BaseException as error:
        print(what, 'seek', repr(error))
    print(what, repr(thing), type(thing).__module__, type(thing).__qualname__,
          [c.__name__ for c in type(thing).__mro__][-4:])
for name in ('stdin', 'stdout', 'stderr', '__stdin__', '__stdout__', '__stderr__'):
    stream = getattr(sys, name)
    look(name, stream)
    look(name + '.buffer', stream.buffer)
    look(name + '.raw', stream.buffer.raw)
print(sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__)
'''


@pytest.mark.parametrize('flags', [0, FINAL])
def test_every_property_is_that_of_python(py, flags):
    compare(py, PROPERTIES, stdin=b'x\n', flags=flags)


def test_properties_of_a_later_cell(py):
    py.run('import sys; sys.stdout.close(); sys.stderr.detach(); input()', stdin=b'y\n')
    compare(py, PROPERTIES, stdin=b'x\n')


PROGRAMS = {
    'reconfigure encoding': 'import sys\nsys.stdout.reconfigure(encoding="utf-8")\nprint("é")',
    'reconfigure latin-1': 'import sys\nsys.stdout.reconfigure(encoding="latin-1", errors="replace")\n'
                           'print(ascii("é"), sys.stdout.encoding, sys.stdout.errors)',
    'reconfigure errors': 'import sys\nsys.stderr.reconfigure(errors="strict"); sys.stdout.reconfigure(errors="ignore")\n'
                          'print("a\\ud800b", sys.stdout.errors, sys.stderr.errors)',
    'reconfigure newline': 'import sys\nsys.stdout.reconfigure(newline="\\r\\n")\nprint("a\\nb")',
    'reconfigure all': 'import sys\nfor s in (sys.stdout, sys.stderr):\n'
                       ' s.reconfigure(encoding="utf-16", errors="strict", newline="\\n", line_buffering=True,'
                       ' write_through=True)\nprint("x")\nprint(sys.stdout.line_buffering, sys.stdout.write_through)',
    'reconfigure stdin': 'import sys\nsys.stdin.reconfigure(encoding="latin-1")\nprint(ascii(sys.stdin.read()))',
    'line buffering off': 'import sys\nsys.stdout.reconfigure(line_buffering=False)\nprint("x", sys.stdout.line_buffering)',
    'wrap buffer': 'import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")\nprint("é")',
    'wrap stderr': 'import sys, io\nsys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding="utf-8", errors="replace")\n'
                   'print("é", file=sys.stderr)',
    'wrap stdin': 'import sys, io\nsys.stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")\nprint(input())',
    'detach': 'import sys, codecs\nsys.stdout = codecs.getwriter("utf-8")(sys.stdout.detach())\nprint("é")',
    'detach and wrap': 'import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="ascii", '
                       'errors="xmlcharrefreplace")\nprint("é")',
    'detach stderr': 'import sys, io\nsys.stderr = io.TextIOWrapper(sys.stderr.detach(), "latin-1", line_buffering=True)\n'
                     'print("e", file=sys.stderr)\nprint("o")',
    'detach stdin': 'import sys\nprint(sys.stdin.detach().read())',
    'detach without use': 'import sys\nsys.stdout.write("kept")\nraw = sys.stdout.detach()\nraw.write(b"!")\nsys.stdout = None',
    'detached is used': 'import sys\nsys.stdout.detach()\ntry: print("x")\nexcept ValueError as e: sys.stderr.write(str(e))\n'
                        'sys.stdout = None',
    'buffer detached': 'import sys\nraw = sys.stdout.buffer.detach()\ntry: print("x", flush=True)\nexcept ValueError as e: '
                       'sys.stderr.write(str(e))\nraw.write(b"raw\\n")\nsys.stdout = None',
    'getwriter on buffer': 'import sys, codecs\ncodecs.getwriter("utf-8")(sys.stdout.buffer).write("é\\n")',
    'order of text and bytes': 'import sys\nsys.stdout.buffer.write(b"1\\n"); sys.stdout.flush(); print(2, flush=True)\n'
                               'sys.stdout.buffer.write(b"3\\n")',
    'fdopen': 'import os\nwith os.fdopen(1, "w", closefd=False) as f: f.write("x\\n")',
    'open 1': 'f = open(1, "w", closefd=False)\nprint("to one", file=f)',
    'open 1 in a function': 'def f():\n  o = open(1, "w", closefd=False)\n  o.write("gone with f")\nf()',
    'open 2 binary': 'f = open(2, "wb", buffering=0, closefd=False)\n_ = f.write(b"b")',
    'fdopen closes': 'import os, sys\nos.fdopen(1, "w").close()\ntry: print("x", flush=True)\nexcept OSError as e: '
                     'print(e.errno, file=sys.stderr); sys.stdout = None',
    'none': 'import sys\nsys.stdout = None\nprint("nothing")\nsys.stderr.write("e")',
    'deleted': 'import sys\ndel sys.stdout\ntry: print(1)\nexcept RuntimeError as e: sys.stderr.write(str(e))',
    'closed': 'import sys\nprint(1)\nsys.stdout.close()\ntry: print(2)\nexcept ValueError as e: sys.stderr.write(str(e))',
    'both closed': 'import sys\nprint(1)\nsys.stdout.close(); sys.stderr.close()',
    'stdin closed': 'import sys\nsys.stdin.close()\ntry: input()\nexcept ValueError as e: print(e)',
    'redirect': 'import contextlib, io\ns = io.StringIO()\nwith contextlib.redirect_stdout(s): print("in")\n'
                'with contextlib.redirect_stderr(s): import sys; print("err", file=sys.stderr)\nprint(repr(s.getvalue()))',
    'tee': 'import sys\nclass Tee:\n def __init__(self, s): self.s, self.text = s, ""\n'
           ' def write(self, t): self.text += t; return self.s.write(t)\n def flush(self): self.s.flush()\n'
           'sys.stdout = tee = Tee(sys.stdout)\nprint("a"); sys.stderr.write(repr(tee.text))',
    'no flush': 'import sys\nclass W:\n def write(self, t): sys.__stdout__.write(t.upper())\nsys.stdout = W()\nprint("a")\nsys.stdout = None',
    'logging': 'import logging, sys\nlogging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")\n'
               'logging.warning("w"); logging.getLogger("x").error("e")',
    'print from threads': 'import threading\nts = [threading.Thread(target=print, args=(n,)) for n in range(5)]\n'
                          'for t in ts: t.start(); t.join()',
    'os.write': 'import os\nos.write(1, b"a\\n"); os.write(2, b"b\\n")',
    'dup2': 'import os\nr, w = os.pipe(); old = os.dup(1); os.dup2(w, 1); print("caught", flush=True)\n'
            'os.dup2(old, 1); os.close(w); print(os.read(r, 99))',
    'subprocess': 'import subprocess\nprint("before", flush=True)\nsubprocess.run(["echo", "child"])\nprint("after")',
    'newlines are kept': 'import sys\nprint(repr(input()))\nprint(repr(sys.stdin.readline()))',
    'read bytes': 'import sys\nprint(sys.stdin.buffer.readline(), sys.stdin.buffer.read())',
    'read raw': 'import sys\nprint(sys.stdin.buffer.raw.read(3), sys.stdin.buffer.raw.readall())',
    'readinto': 'import sys\nb = bytearray(4)\nprint(sys.stdin.buffer.readinto(b), b, sys.stdin.buffer.peek(1)[:1])',
    'iterate': 'import sys\nfor line in sys.stdin: print(repr(line))',
    'surrogates': 'print("\\udcff\\udc80", end="")',
    'stderr escapes': 'import sys\nprint("\\ud800é", file=sys.stderr)',
    'exit text': 'import sys\nsys.exit("why é")',
    'exit text, no stderr': 'import sys\nsys.stderr = None\nsys.exit("unseen")',
}


@pytest.mark.parametrize('name', PROGRAMS)
def test_programs_do_what_they_do_in_python(py, name):
    if name == 'exit text, no stderr':
        result = py.run(PROGRAMS[name])
        assert result.exit == 1 and not result.gone
    else:
        compare(py, PROGRAMS[name], stdin=b'a\r\nb\nc')
    if name.startswith('reconfigure'):  # It lasts.
        return
    again = py.run('import sys\nprint("next")\nprint("e", file=sys.stderr)\nprint(input())', stdin=b'in\n')
    assert again.out == b'next\nin\n' and again.err == b'e\n' and again.exit == 0, again


HOSTILE = [
    'class H:\n  closed = property(lambda self: 1 / 0)\n  def write(self, t): pass\n',
    'class H:\n  def __getattr__(self, name): raise KeyboardInterrupt\n',
    'class H:\n  def __getattr__(self, name): raise SystemExit(9)\n',
    'class H:\n  def write(self, t): raise OSError(28, "full")\n  def flush(self): raise MemoryError\n',
    'class H:\n  def write(self, t): return "x"\n  def fileno(self): return "1"\n  flush = None\n',
    'class H:\n  class closed:\n    def __bool__(self): raise ValueError\n  closed = closed()\n  write = print\n',
    'H = object\n', 'H = int\n', 'H = lambda: sys.stdout.buffer\n', 'H = lambda: sys.stdout.buffer.raw\n',
    'class H:\n  def __init__(self): del type(self).__init__\n  write = property()\n',
]


@pytest.mark.parametrize('make', HOSTILE)
@pytest.mark.parametrize('name', ['stdout', 'stderr', 'stdin'])
def test_nothing_that_takes_their_place_hurts(py, make, name):
    py.run('keep = 1')
    result = py.run(f'import sys\n{make}sys.{name} = H()')
    assert result.exit == 0 and not result.gone and result.err == b'', result
    failed = py.run('1 / 0')
    assert failed.exit == 1 and not failed.gone and b'glassbell' not in failed.err, failed
    py.run(f'import sys; sys.{name} = sys.__{name}__')
    assert py.run('print(keep)').out == b'1\n'


PRELUDES = [
    'import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")\n',
    'import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8")\n',
    'import sys, codecs\nsys.stdout = codecs.getwriter("utf-8")(sys.stdout.detach())\n',
    'import sys, codecs\nsys.stdout = codecs.getwriter("utf-8")(sys.stdout.buffer)\n',
    'import sys\nsys.stdout.reconfigure(encoding="utf-8")\n',
    'import sys, io\nsys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding="utf-8", line_buffering=True)\n',
    'import sys, os\nsys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", closefd=False)\n',
    'import sys, os\nsys.stdout = open(os.dup(1), "w", buffering=1, encoding="utf-8")\n',
]


@pytest.mark.parametrize('prelude', PRELUDES)
def test_what_is_done_in_every_cell_works_in_every_cell(py, prelude):
    for _ in range(4):
        result = py.run(prelude + 'print("é")\nprint("e", file=sys.stderr)')
        assert result.exit == 0 and result.err == b'e\n', result
        assert result.out == 'é\n'.encode() or 'dup(1)' in prelude, result
    py.run('import sys; sys.stdout = sys.__stdout__')
    assert py.run('print("plain")').out == b'plain\n'


def test_what_a_cell_puts_there_stays(py):
    py.run('import sys, io, logging\nsys.stdout = text = io.StringIO()\n'
           'handler = logging.StreamHandler(sys.stderr); logging.getLogger().addHandler(handler)')
    assert py.run('print("into it")').out == b''
    assert py.run('sys.stdout = sys.__stdout__; print(text.getvalue())').out == b'into it\n\n'
    assert py.run('logging.warning("kept")').err == b'kept\n'
    py.run('class Tee:\n  def write(self, t): sys.__stdout__.write("+" + t)\n  def flush(self): pass\nsys.stdout = Tee()')
    assert py.run('print("a")').out == b'+a+\n'
    py.run('sys.stdout = io.TextIOWrapper(sys.__stdout__.buffer, "latin-1")')
    assert py.run('print("é")').out == b'\xe9\n'


def test_stream_taken_apart_gives_way_to_a_new_one(py):
    py.run('import sys, io\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-16")')
    assert py.run('print(sys.stdout.encoding, sys.stdout is sys.__stdout__)').out == b'utf-8 True\n'
    py.run('raw = sys.stdout.buffer.detach()')
    assert py.run('print(1)').out == b'1\n'
    py.run('sys.stdout.buffer.raw.close()')
    assert py.run('print(2)').out == b'2\n'
    py.run('sys.stdout = sys.__stdout__ = None')
    assert py.run('print(3)').out == b'3\n'


def test_lines_are_passed_on_as_they_come(py):
    for setup in ('', 'import sys, codecs\nsys.stdout = codecs.getwriter("utf-8")(sys.stdout.detach())\n',
                  'import sys\nsys.stdout.reconfigure(encoding="latin-1")\n'):
        running = py.start(setup + 'print("one")\ninput()\nprint("two")', flags=INTERACTIVE)
        running.until(lambda result: result.out == b'one\n')
        running.input(b'\n')
        assert running.finish().out == b'one\ntwo\n'
    mixed = py.run('import os, sys\nprint("a"); os.write(1, b"b\\n"); print("c"); os.system("echo d")\n'
                   'sys.stdout.buffer.write(b"e\\n"); os.write(1, b"f\\n"); print("g")')
    assert mixed.out == b'a\nb\nc\nd\ne\nf\ng\n'
    progress = py.start('print("10%", end="\\r")\ninput()', flags=INTERACTIVE)
    progress.until(lambda result: result.out == b'10%\r')
    progress.input(b'\n')
    progress.finish()


def test_partial_lines_stay_with_their_cell(py):
    assert py.run('print("half", end="")').out == b'half'
    assert py.run('out = open(1, "w", closefd=False); _ = out.write("named")').out == b'named'
    assert py.run('print("other")').out == b'other\n'


def test_waiting_is_told_in_every_way_of_reading(py):
    for code, data in [('import sys; sys.stdin.readline()', b'x\n'), ('import sys; sys.stdin.buffer.raw.read(2)', b'xy'),
                       ('import sys; sys.stdin.buffer.raw.readinto(bytearray(3))', b'abc'),
                       ('import sys; sys.stdin.buffer.peek()', b'a'), ('next(iter(__import__("sys").stdin))', b'l\n')]:
        running = py.start(code, flags=INTERACTIVE)
        running.until(lambda result: result.waiting == [1])
        running.input(data)
        assert running.finish().exit == 0 and running.result.waiting == [1, 0], running.result


def test_no_frame_of_ours_below_a_read(py):
    running = py.start('import traceback\ntry: input("? ")\nexcept KeyboardInterrupt: traceback.print_exc()',
                       flags=INTERACTIVE)
    running.until(lambda result: result.waiting == [1])
    py.interrupt()
    result = py.nudge(running)
    assert result.exit == 0 and result.err.decode().count('File') == 1, result
