# SPDX-License-Identifier: Apache-2.0
"""Cells that are no Python as they stand: indented as a whole, or with lines for IPython.

Called when a cell does not compile.  What IPython would run and we can is made to compile: the
indentation of the first line is taken off all lines, as IPython does; `!command` is run by the
shell.  Its magic commands are refused, each with what to write instead.  Line numbers stay.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import builtins
import re
import sys
from _functools import partial
from sys import _getframe as getframe

from . import NAMESPACE, builtin, methodcaller

INDENT = re.compile(r'(?:[ \t]*\r?\n)*([ \t]+)\S')
COMMAND = re.compile(r'([ \t]*)(?:([^\W\d][\w.,\[\] \t]*?)[ \t]*=[ \t]*)?(%%|%|!!|!)(?!=)([^\n]*)')
TOKEN = re.compile(r'''(?P<long>"""|\'\'\')|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*'''
                   r'''|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<joined>\\\n)|(?P<end>\n)''', re.S)
LONG_END = {quote: re.compile(r'(?:\\.|(?!' + quote + r').)*' + quote, re.S)
            for quote in ('"""', "'" * 3)}
VARIABLE = re.compile(r'\$\$|\$([^\W\d][\w.]*)|\{\{|\}\}|\{([^{}]*)\}')

LEAVE_OUT = 'leave the line out'
CELL_IS_PYTHON = 'a cell is Python as a whole, so give the rest of the cell to '
ADVICE = {
    'matplotlib': 'figures are shown without it, ' + LEAVE_OUT,
    'pylab': 'write `import numpy as np` and `import matplotlib.pyplot as plt`',
    'config': 'nothing here reads such settings, ' + LEAVE_OUT,
    'load_ext': 'there are no extensions to load, ' + LEAVE_OUT,
    'reload_ext': 'there are no extensions to load, ' + LEAVE_OUT,
    'autoreload': 'write `importlib.reload(module)` where a module has changed',
    'time': 'take `time.perf_counter()` before and after the statement',
    'timeit': 'write `timeit.timeit(lambda: …, number=…)`',
    'prun': 'write `cProfile.run("…")`',
    'pip': 'write `!pip …`',
    'conda': 'there is no conda',
    'run': 'write `runpy.run_path("FILE")`, or `!python3 FILE`',
    'cd': 'write `os.chdir("FOLDER")`',
    'pwd': 'write `os.getcwd()`',
    'ls': 'write `!ls`',
    'cat': 'write `!cat FILE`',
    'mkdir': 'write `os.makedirs("FOLDER")`',
    'rm': 'write `!rm FILE`',
    'cp': 'write `!cp FROM TO`',
    'mv': 'write `!mv FROM TO`',
    'env': 'write `os.environ["NAME"]`',
    'set_env': 'write `os.environ["NAME"] = "value"`',
    'who': 'write `dir()`',
    'who_ls': 'write `dir()`',
    'whos': 'write `globals()`',
    'reset': 'write `del NAME`, or begin a new session',
    'history': 'the session keeps its cells',
    'precision': 'write `numpy.set_printoptions(precision=…)`',
    'load': 'write `exec(open("FILE").read())`',
    'pdb': 'write `breakpoint()`',
    'debug': 'write `breakpoint()`',
    'store': 'write `pickle.dump(…)`',
    'system': 'write `!command`',
    'sx': 'write `lines = !command`',
    'capture': 'write `with contextlib.redirect_stdout(io.StringIO()) as text:`',
    'writefile': CELL_IS_PYTHON + '`open("FILE", "w").write(…)`',
    'file': CELL_IS_PYTHON + '`open("FILE", "w").write(…)`',
    'bash': CELL_IS_PYTHON + '`subprocess.run(["bash", "-c", …])`, or run it as shell',
    'sh': CELL_IS_PYTHON + '`subprocess.run(["sh", "-c", …])`, or run it as shell',
    'script': CELL_IS_PYTHON + '`subprocess.run([…], input=…)`',
    'html': CELL_IS_PYTHON + '`display({"text/html": …}, raw=True)`',
    'svg': CELL_IS_PYTHON + '`display({"image/svg+xml": …}, raw=True)`',
    'markdown': CELL_IS_PYTHON + '`print(…)`',
    'javascript': 'no browser is there to run it',
    'js': 'no browser is there to run it',
}
UNKNOWN = 'it has to be written in Python'


def dedent(text):
    """Takes the first line's indentation off every line that has it."""
    indent = INDENT.match(text)
    if indent is None:
        return text
    space = indent[1]
    return ''.join(line.removeprefix(space) for line in text.splitlines(True))


def statements(text):
    """The places where a line begins a statement; the caller may send where to go on."""
    at = 0
    depth = 0
    begins = True
    while at < len(text):
        if begins:
            at = (yield at) or at
            begins = False
        token = TOKEN.search(text, at)
        if token is None:
            return
        at = token.end()
        if token['long']:
            end = LONG_END[token['long']].match(text, at)
            if end is None:
                return
            at = end.end()
        elif token['open']:
            depth += 1
        elif token['close']:
            depth = max(0, depth - 1)
        elif token['end']:
            begins = depth == 0


def refuse(text, name, line, match):
    """The error that stands for a magic command."""
    sign, rest = match[3], match[4].strip()
    word = rest.split(maxsplit=1)[0] if rest else ''
    advice = ADVICE.get(word, UNKNOWN)
    error = SyntaxError(f'{sign}{word} is a command of IPython: {advice}')
    error.filename = name
    error.lineno = error.end_lineno = line
    error.offset = match.start(3) - match.start() + 1
    error.end_offset = error.offset + len(sign) + len(word)
    error.text = text.split('\n')[line - 1]
    return error


def call_of(match, text):
    """Python for a command, on as many lines; gives it and where the command ends."""
    command = match[4]
    end = match.end()
    lines = 0
    while command.endswith('\\') and end < len(text):
        following = text.find('\n', end + 1)
        following = len(text) if following < 0 else following
        command = command[:-1] + ' ' + text[end + 1:following].strip()
        lines += 1
        end = following
    wants_lines = match[2] is not None or match[3] == '!!'
    target = '' if match[2] is None else match[2] + ' = '
    call = f'{match[1]}{target}__shell__({command.strip()!r}, {wants_lines})'
    return call + '\n' * lines, end


def with_commands(text, name):
    """The text with calls in place of the shell's commands, and without a name, of any."""
    parts = []
    done = 0
    places = statements(text)
    at = next(places, None)
    while at is not None:
        match = COMMAND.match(text, at)
        if match is None or not (match[4].strip() or match[3].startswith('%')):
            at = next(places, None)
            continue
        if match[3].startswith('%') and name is not None:
            raise refuse(text, name, text.count('\n', 0, at) + 1, match)
        call, end = call_of(match, text)
        parts += text[done:at], call
        done = end
        try:
            at = places.send(end)
        except StopIteration:
            break
    parts.append(text[done:])
    if len(parts) > 1 and name is not None:
        builtins.__shell__ = builtin(shell, '__shell__')
    return ''.join(parts)


def mend(text, name, error):
    """What to compile instead of a cell, and what to show of it; raises what is wrong with it."""
    dedented = dedent(text)
    try:
        mended = with_commands(dedented, name)
    except SyntaxError as refusal:
        raise refusal from None
    if mended == text:
        raise error
    return mended, dedented


def expand(command, frame):
    """Puts in {expressions} and $names, as IPython does; as it stands when one cannot be had."""
    def value(match):
        whole = match[0]
        if whole in ('$$', '{{', '}}'):
            return whole[0]
        if match[1] is not None:
            first = match[1].partition('.')[0]
            if first not in names and first not in frame.f_globals:
                return whole
        return str(eval(match[1] or match[2], frame.f_globals, names))

    names = dict(frame.f_locals)
    try:
        return VARIABLE.sub(value, command)
    except Exception:
        return command


def shell(command, wants_lines):
    """Runs a command; the last one's exit status is in _exit_code."""
    import subprocess
    command = expand(command, getframe(1))
    for name in ('stdout', 'stderr'):
        yield methodcaller('flush'), sys.__dict__.get(name)
    call = ['/bin/bash', '-c', command]
    if wants_lines:
        done, error = yield partial(subprocess.run, call, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT),
    else:
        status, error = yield subprocess.call, call
    if error is not None:
        yield None, error
    NAMESPACE['_exit_code'] = done.returncode if wants_lines else status
    return done.stdout.decode('utf-8', 'replace').splitlines() if wants_lines else None
