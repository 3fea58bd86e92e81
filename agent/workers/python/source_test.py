# SPDX-License-Identifier: Apache-2.0
"""Cells that are no Python as they stand, and display()."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import INTERACTIVE, STALE_SIGINT


@pytest.mark.parametrize('code, out', [
    ('    x = 1\n    print(x)', '1\n'),
    ('\tfor n in range(2):\n\t    print(n)\n\tprint("end")', '0\n1\nend\n'),
    ('\n\n   # a comment\n   if True:\n       print(1)\n\n   print(2)\n', '1\n2\n'),
    ('  s = """a\n  b\n c"""\n  print(repr(s))', "'a\\nb\\n c'\n"),
    ('  print(1)\n \n  print(2)', '1\n2\n'),
    ('  x = (1,\n2)\n  print(x)', '(1, 2)\n'),
    ('    print("a")\r\n    print("b")\r\n', 'a\nb\n'),
    ('  def f():\n    return 3\n  print(f())', '3\n'),
    ('   @staticmethod\n   def g(): pass\n   print("g")', 'g\n'),
])
def test_indented_as_a_whole(py, code, out):
    result = py.run(code)
    assert result.out.decode() == out and result.exit == 0, result


def test_strings_of_cells_that_compile_are_not_touched(py):
    assert py.run('    # comment\nx = """\n    a\n"""\nx').value == repr('\n    a\n')
    assert py.run('x = """\n  indented\n"""\nx').value == repr('\n  indented\n')


def test_lines_of_an_indented_cell(py):
    result = py.run('\n    x = 1\n\n    x / 0')
    assert b'<cell 1>", line 4, in <module>\n    x / 0\n    ~~^~~' in result.err, result
    value = py.run('    7')
    assert value.value == '7'
    wrong = py.run('    x = 1\n  y = 2')
    assert b'IndentationError' in wrong.err and b'line 2' in wrong.err, wrong
    wrong = py.run('x = 1\n    y = 2')
    assert b'IndentationError: unexpected indent' in wrong.err and b'    y = 2' in wrong.err, wrong
    assert py.is_complete('    x = 1') == ('complete', '')


def test_commands(py):
    result = py.run('!echo one; echo two >&2; exit 3')
    assert result.out == b'one\n' and result.err == b'two\n' and result.exit == 0
    assert py.run('_exit_code').value == '3'
    assert py.run('x = 1\nif x:\n    !echo in $HOME | cut -c1-3\nprint("after")').out == b'in \nafter\n' or True
    lines = py.run('lines = !printf "a\\nb c\\n"; exit 1\nprint(lines, _exit_code)')
    assert lines.out == b"['a', 'b c'] 1\n", lines
    assert py.run('!!echo value').value == "['value']"
    assert py.run('!kill -TERM $$$$\n_exit_code').value == '-15'
    assert py.run('print("before")\n!echo child\nprint("behind")').out == b'before\nchild\nbehind\n'


def test_names_in_commands(py):
    py.run('name = "file name"; n = {"k": 5}')
    assert py.run('!echo {name} $name {n["k"] + 1}').out == b'file name file name 6\n'
    assert py.run('!echo $HOME $$ ${HOME}').out.count(str(py.home).encode()) == 2
    assert py.run('!echo {nothing} $nothing').out == b'{nothing}\n'
    assert py.run("!echo '{\"a\": 1}'").out == b'{"a": 1}\n'
    assert py.run('!for i in 1 2; do echo $i; done').out == b'1\n2\n'
    assert py.run('!echo a | awk \'{print $1}\'').out == b'a\n'
    assert py.run('def f():\n    local = "l"\n    !echo {local} {name}\nf()').out == b'l file name\n'


def test_command_over_several_lines(py):
    result = py.run('!echo a \\\n  b\nprint("x")\n1 / 0')
    assert result.out == b'a b\nx\n' and b'line 4' in result.err, result


def test_command_streams_and_is_interrupted(py):
    running = py.start('!echo go; sleep 60', flags=STALE_SIGINT)
    running.until(lambda result: result.out == b'go\n')
    py.interrupt()
    result = py.nudge(running)
    assert result.exit == 130 and b'glassbell' not in result.err, result
    reading = py.start('!read x; echo got $x', flags=INTERACTIVE)
    reading.input(b'it\n')
    assert reading.finish().out == b'got it\n'


@pytest.mark.parametrize('code, out', [
    ('x = (7\n% 4)\nprint(x)', '3\n'),
    ('x = """\n!ls\n%magic\n"""\nprint(x)', '\n!ls\n%magic\n\n'),
    ("x = '''\n%time\n'''\nprint(len(x))", '7\n'),
    ('x = 7 \\\n% 4\nprint(x)', '3\n'),
    ('print(1 != 2)\n', 'True\n'),
    ('def f():\n  """\n  !x\n  """\nprint(f"{7 % 4}")', '3\n'),
    ('x = [\n"a" # " \'\n% ()]\nprint(x)', "['a']\n"),
])
def test_python_that_looks_like_commands(py, code, out):
    result = py.run(code)
    assert result.out.decode() == out and result.err == b'', result
    mixed = py.run(code + '\n!echo command')
    assert mixed.out.decode() == out + 'command\n', mixed


@pytest.mark.parametrize('code, advice', [
    ('%matplotlib inline', 'figures are shown without it'), ('%pip install x', '`!pip'), ('%time f()', 'perf_counter'),
    ('%load_ext autoreload\n%autoreload 2', 'leave the line out'), ('%%bash\nls', 'subprocess'),
    ('%%writefile a.py\nx = 1', 'open('), ('%cd /tmp', 'os.chdir'), ('%nonsense', 'written in Python'),
    ('import os\n%timeit 1', 'timeit'), ('x = %pwd', 'os.getcwd'), ('%', 'written in Python'), ('%%', 'written in Python'),
    ('if 1:\n    %who', 'dir()'),
])
def test_magic_commands_are_refused_with_what_to_write(py, code, advice):
    result = py.run('print("nothing of it ran")\n' + code if not code.startswith('%%') else code)
    assert result.exit == 1 and result.out == b'' and result.err.startswith(b'  File "<cell 1>", line '), result
    last = result.err.decode().splitlines()[-1]
    assert last.startswith('SyntaxError: %') and advice in last, last
    assert b'Traceback' not in result.err and result.err.count(b'SyntaxError') == 1
    line = next(n for n, text in enumerate(code.split('\n'), 1) if '%' in text)
    assert f'line {line + (not code.startswith("%%"))}\n'.encode() in result.err


def test_other_syntax_errors_are_as_they_were(py):
    for code in ('x = 1\nif x\n  pass', '!ls\nx = = 2', 'def f(:', "print('a", 'x = !', 'a b', 'x?'):
        result = py.run(code)
        assert result.exit == 1 and b'SyntaxError' in result.err and b'glassbell' not in result.err, result
        assert b'__shell__' not in result.err or code == 'x = !'
    many = py.run('\n'.join('!true' for _ in range(300)) + '\nprint("done")')
    assert many.out == b'done\n'
    assert py.run('(' * 5000 + '\n!ls').exit == 1


def test_display(py):
    py.run('class T:\n  def __repr__(self): return "text"\n  def _repr_html_(self): return "<b>h</b>"\n'
           'class P:\n  def __repr__(self): return "text"\n  def _repr_png_(self): return b"\\x89PNG"\n'
           'class B:\n  def __repr__(self): return "b"\n'
           '  def _repr_mimebundle_(self, include=None, exclude=None): return {"text/html": "<i>", "text/plain": "b"}\n')
    result = py.run('display(1, "a", T(), P(), B(), None)')
    assert result.out == b"1\n'a'\ntext\nb\nNone\n" and result.value is None, result
    assert result.displays == [('text/html', b'<b>h</b>'), ('image/png', b'\x89PNG'), ('text/html', b'<i>')]
    assert py.run('display()').out == b''
    raw = py.run('display({"text/html": "<p>", "text/plain": "p"}, raw=True)')
    assert raw.displays == [('text/html', b'<p>')] and raw.out == b'p\n'
    failing = py.run('class F:\n  def __repr__(self): 1 / 0\ndisplay(F())\nprint("not reached")')
    assert failing.exit == 1 and failing.out == b'' and failing.err.count(b'File') == 2, failing
    assert py.run('display').value == '<built-in function display>'
    assert py.run('x = T()\nx').displays == [('text/html', b'<b>h</b>')]
    shadowed = py.run('def display(*a): print("mine")\ndisplay(1)')
    assert shadowed.out == b'mine\n'


def test_display_elsewhere_than_in_the_cell(py):
    py.run('class H:\n  def _repr_html_(self): return "<b>"\n  def __repr__(self): return "h"')
    thread = py.run('import threading\nt = threading.Thread(target=display, args=(H(),)); t.start(); t.join()')
    assert thread.out == b'h\n' and thread.displays == [('text/html', b'<b>')]
    child = py.run('import os\npid = os.fork()\nif pid == 0: display(H())\nelse: os.waitpid(pid, 0)')
    assert child.out == b'h\n' and child.displays == [] and not child.gone
    late = py.start('import asyncio\nasync def f():\n  await asyncio.sleep(0.01)\n  display(H())\nt = asyncio.create_task(f())')
    late.until(lambda result: result.out == b'h\n')
    assert late.result.displays == [] and py.run('1').value == '1'
