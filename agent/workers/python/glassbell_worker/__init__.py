# SPDX-License-Identifier: Apache-2.0
"""The Python worker: runs cells that the agent sends (docs/guest.md, "Control channel").

Theory of operation
-------------------
The main thread reads messages from the cell channel (native.c) and runs cells in the real
`__main__`; another, which is none of Python's between two questions, answers questions (completion)
on the query channel while a cell runs.  Nothing of ours lives in the user's namespace or on his
descriptors: the channels are moved to 100 and above, close-on-exec, and are closed in forked
children.  A child that falls through the end of its cell flushes and leaves.

No frame of ours is on the stack while code of the user's runs, so that his tracebacks, warnings
and looks at the stack are those of a program of his own.  The interpreter calls serve() as its
excepthook, when the frames of its own start are gone; serve() and what it calls are generators, and
yield what is to be called (flow.h): `result, error = yield function, argument`.

What a cell's user can rely on:
- the value of a last expression comes back as text (None: no value) and stays in builtins._;
- top-level await, on one event loop that is kept across cells; its tasks go on between them (loop.py);
- `from __future__` imports hold for the cells that follow, and ours never leak in;
- sys.exit(n) ends the cell with n & 255, sys.exit('text') prints and means 1; state stays;
- SIGINT raises KeyboardInterrupt in a cell (exit 130), also when it comes before the cell has
  begun; what comes behind the end of a cell is forgotten;
- sys.stdin, sys.stdout and sys.stderr are those of python3 with pipes in each property, but what is
  printed is passed on by the line (streams.h).  sys.stdin is new when the last cell used it.  What
  takes the place of stdout or stderr stays there for later cells, as long as text can be written to
  it; when the streams that we made were closed or taken apart, the next cell has new ones, and what
  was made of the parts gives way to them;
- a sys.displayhook or sys.excepthook of his own is called instead of ours;
- modules are found and read as they are now, whatever was imported before (imports.py).

Known limits: only reads through sys.stdin announce that a cell waits for input, os.read(0) does
not; objects that are alive at the end of the session are not finalised one by one.

Start-up time counts ten times in a guest without hardware help, so that only builtin modules are
imported here; what is needed seldom (tracebacks, figures, completion) is in modules of its own.
"""

import builtins

# User code may replace or delete builtins; functions defined below keep the originals, and those of
# our other modules, which import this name first, do too.
__builtins__ = dict(builtins.__dict__)

import sys
from _ast import Expr, Expression
from _contextvars import Context
from _functools import partial
from _io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper, _BufferedIOBase, _RawIOBase
from _operator import call, methodcaller
from _signal import SIGINT, SIGURG, default_int_handler, getsignal, raise_signal, signal
from _struct import Struct, error as StructError
from _thread import _count as count_threads, get_ident
from codecs import StreamWriter
from fcntl import F_DUPFD_CLOEXEC, fcntl
from os import environ, register_at_fork
from posix import (O_CLOEXEC, O_RDWR, _exit, close, dup2, getpid, open as open_fd, pipe2, sysconf)
from sys import modules

from . import native

PACKAGE = modules[__name__]
IMPORT = __builtins__['__import__']
ours = {}  # our modules that have been imported, by name


def import_ours(name, globals=None, locals=None, fromlist=(), level=0):
    """What an import statement in our modules calls: a program may have emptied sys.modules."""
    if level == 1 and name in ours:
        return ours[name]
    if level:
        modules.setdefault(__name__, PACKAGE)
    module = IMPORT(name, globals, locals, fromlist, level)
    return ours.setdefault(name, module) if level == 1 and name else module


__builtins__['__import__'] = import_ours

CELL_CHANNEL, QUERY_CHANNEL, FIRST_OWN_FD = 3, 4, 100
VALUE_MAX = 1 << 20
EXPRESSION_MAX = 256
DISPLAY_MAX = 8 << 20
CELL_FDS = 3
EXIT_VIOLATION = 70

CELL, SETTINGS, READY, DONE, SETTLED, DISPLAY, WAITING, PREPARE, PREPARED, ENDING, BEGUN = range(1, 12)
CELL_INTERACTIVE, CELL_FINAL, CELL_STALE_SIGINT = 1, 2, 4
DONE_VALUE, DONE_INTERRUPTED, DONE_VALUE_CUT = 1, 2, 4

ONLY_AST = 0x400
TOP_LEVEL_AWAIT = 0x2000
FUTURE_FLAGS = 0x1FE0000
CO_COROUTINE = 0x80

DROP = compile('value.clear()', '', 'eval')


async def coroutine():
    pass


COROUTINE = type(coroutine_of := coroutine())
coroutine_of.close()

U32 = Struct('<I')

MPL_CONFIG = '/tmp/.matplotlib'

# The program's: what has started us lives in the interpreter's first one, and is held by it.
MAIN = type(sys)('__main__')
NAMESPACE = MAIN.__dict__
NAMESPACE.update([(name, value) for name, value in sys.modules['__main__'].__dict__.items()
                  if name.startswith('__')])
sys.modules['__main__'] = MAIN
MISSING = object()  # a name that the program has taken away
DISPLAYHOOK = sys.displayhook
EXCEPTHOOK = sys.excepthook
PID = getpid()
MAIN_THREAD = get_ident()


class Violation(Exception):
    """The peer broke the rules of the channel."""


class Start(Exception):
    """Ends the frames of the interpreter's start."""


class Fields:
    """Strict reader of a payload's fields."""

    __slots__ = ('data', 'at')

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        end = self.at + size
        if end > len(self.data):
            raise Violation('short message')
        part = self.data[self.at:end]
        self.at = end
        return part

    def unpack(self, form):
        try:
            values = form.unpack_from(self.data, self.at)
        except StructError:
            raise Violation('short message') from None
        self.at += form.size
        return values

    def u32(self):
        return self.unpack(U32)[0]

    def bytes(self):
        return self.take(self.u32())

    def pairs(self):
        count = self.u32()
        return [(self.bytes(), self.bytes()) for _ in range(count)] if count else ()

    def end(self):
        if self.at != len(self.data):
            raise Violation('long message')


u32 = U32.pack


def field(data):
    return u32(len(data)) + data


class State:
    """What the worker remembers; one instance, `state`."""

    channel = -1
    null = -1
    cell = 0  # 0: none runs
    name = ''  # of the cell, or of the program's file
    final = None  # the exit status of a program whose code is over
    is_program = False  # what runs is one, and knows nothing of a session
    idling = False  # the event loop runs between two cells
    background = False  # what goes on since the last cell may print
    stdin = None
    future = 0
    sigint = default_int_handler
    early_sigint = False
    runner = None
    turned = None
    context = Context()
    sources = {}
    sources_size = 0
    linecache = None
    reseed = None  # loaded before the first cell: an import would make each restore longer
    shown = {}  # figures of this cell, and what was sent of them


state = State()


def is_child():
    return getpid() != PID


# Standard streams

def new_stdin():
    raw = native.FileIO(0, 'r', closefd=False)
    raw.name = '<stdin>'
    text = TextIOWrapper(BufferedReader(raw), 'utf-8', 'surrogateescape', '\n')
    text.mode = 'r'
    return text


def new_output(fd):
    """The stream of descriptor 1 or 2, which has to be what it is going to be: a pipe."""
    raw = FileIO(fd, 'w', closefd=False)
    raw.name = ('<stdout>', '<stderr>')[fd - 1]
    text = TextIOWrapper(native.BufferedWriter(raw), 'utf-8',
                         ('surrogateescape', 'backslashreplace')[fd - 1], '\n', fd == 2)
    text.mode = 'w'
    if fd == 1:
        text._CHUNK_SIZE = 1  # Keeps nothing to itself: lines are found in the layer below.
    return text


def new_streams():
    """Those of the first cell, made over pipes: what they are is found out only once."""
    ends = pipe2(O_CLOEXEC)
    for fd in range(3):
        dup2(ends[fd > 0], fd)
    sys.stdin = sys.__stdin__ = state.stdin = new_stdin()
    sys.stdout = sys.__stdout__ = state.stdout = new_output(1)
    sys.stderr = sys.__stderr__ = state.stderr = new_output(2)
    for fd in range(3):
        dup2(state.null, fd)
    for end in ends:
        close(end)


def is_whole(ours):
    """Whether a stream that we made is as we made it."""
    try:
        return not ours.closed
    except ValueError:
        return False  # It was detached, or what is below it.


def is_open(stream):
    """Whether an object takes text. It may be the user's, and answers for itself."""
    if stream is None or isinstance(stream, (_BufferedIOBase, _RawIOBase)):
        return False
    _, error = yield getattr, stream, 'write'
    if error is None:
        is_closed, error = yield getattr, stream, 'closed', False
    if error is None:
        is_closed, error = yield bool, is_closed
    return error is None and not is_closed


def leads_to(stream, fd):
    """Whether an object of the user's says that it writes to this descriptor."""
    number, error = yield methodcaller('fileno'), stream
    return error is None and type(number) is int and number == fd


def prepare_streams():
    """Gives a cell usable sys.stdin, sys.stdout and sys.stderr."""
    theirs = sys.__dict__.get('stdin')
    used = native.stdin_used()
    if theirs is None or (theirs is state.stdin and (used or not is_whole(theirs))):
        sys.stdin = sys.__stdin__ = state.stdin = new_stdin()
    elif theirs is not state.stdin:
        is_closed, error = yield getattr, theirs, 'closed', False
        if error is None:
            is_closed, error = yield bool, is_closed
        if error is not None or is_closed or (yield from leads_to(theirs, 0)):
            sys.stdin = sys.__stdin__ = state.stdin = new_stdin()
    for fd, name in ((1, 'stdout'), (2, 'stderr')):
        ours = getattr(state, name)
        theirs = sys.__dict__.get(name)
        if theirs is ours and is_whole(ours):
            continue
        keep = theirs is not ours and (yield from is_open(theirs))
        # A writer of codecs has nothing that the next one could be made of.
        if keep and (not is_whole(ours) or issubclass(type(theirs), StreamWriter)):
            keep = not (yield from leads_to(theirs, fd))
        if not is_whole(ours):
            ours = new_output(fd)
            setattr(state, name, ours)
            setattr(sys, '__' + name + '__', ours)
        if not keep:
            setattr(sys, name, ours)
    theirs = None
    native.spare(sys.stdout, sys.stderr)


FLUSHED = {TextIOWrapper, BufferedWriter, native.BufferedWriter}


def flush_named():
    """Streams of the user's own on descriptors 1 and 2, where they have a name in __main__."""
    for stream in list(NAMESPACE.values()):
        try:
            if type(stream) in FLUSHED and not stream.closed and stream.fileno() in (1, 2):
                stream.flush()
        except (OSError, ValueError):
            pass  # His own object's affair.


def flush_streams():
    """Everything written through the language's streams reaches descriptors 1 and 2."""
    for fd, name in ((1, 'stdout'), (2, 'stderr')):
        ours = getattr(state, name)
        theirs = sys.__dict__.get(name)
        if theirs is not ours and (yield from is_open(theirs)):
            yield methodcaller('flush'), theirs
        theirs = None
        try:
            if is_whole(ours):
                ours.flush()
        except BaseException as error:
            # What cannot be written must not turn up in the next cell: let it go to null.
            dup2(state.null, fd)
            try:
                ours.flush()
            except Exception:
                pass  # Its next use finds out.
            if not isinstance(error, Exception):
                raise
    flush_named()


# One cell

class Outcome:
    """What a cell came to."""

    ends = False  # the interpreter ends with it, which flushes its streams as it always does
    code = 0
    flags = 0
    value = None


def failed(outcome, error):
    """Ends the cell with an exception that left the user's code."""
    if isinstance(error, SystemExit):
        code = error.code
        if code is None:
            outcome.code = 0
        elif isinstance(code, int):
            outcome.code = int(code) & 0xFF
        else:
            outcome.code = 1
            text, broken = yield str, code
            if broken is None:
                from .report import write
                yield from write(text + '\n')
        return
    outcome.code = 1
    if isinstance(error, KeyboardInterrupt):
        outcome.code = 130
        outcome.flags |= DONE_INTERRUPTED
    try:
        from .report import show
    except Exception:  # The user has broken what our modules are found or made with.
        yield EXCEPTHOOK, type(error), error, error.__traceback__
        return
    yield from show(type(error), error, error.__traceback__)


def remember(name, text):
    """Keeps the source of a cell for tracebacks and inspect; old ones go when there are many."""
    sources = state.sources
    state.sources_size += len(text) - len(sources.get(name, ''))
    sources[name] = text
    while len(sources) > 512 or (state.sources_size > 8 << 20 and len(sources) > 1):
        oldest = next(iter(sources))
        state.sources_size -= len(sources.pop(oldest))
        if state.linecache is not None:
            state.linecache.cache.pop(oldest, None)
    if state.linecache is not None:
        from .hooks import seed
        seed(name, text)


def compile_expression(text, name, flags):
    """Compiles a cell that is one plain expression in one step; None: anything else.

    Going through the tree costs twice as much and more.  What is not tried here, or fails here, is
    compiled the long way, which has the say about errors.  Backslashes are left to it because the
    parser warns about some escapes, and would do so twice.
    """
    if len(text) > EXPRESSION_MAX or '\\' in text or '\n' in text.rstrip('\n'):
        return None
    try:
        return compile(text, name, 'eval', flags, True)
    except SyntaxError:
        return None


def parse(text, name, flags):
    """The tree of a cell, and the text that it is of."""
    try:
        return compile(text, name, 'exec', flags | ONLY_AST, True), text
    except SyntaxError as error:
        from .source import mend
        mended, shown = mend(text, name, error)
    tree = compile(mended, name, 'exec', flags | ONLY_AST, True)
    remember(name, shown)
    return tree, mended


def compile_cell(text, name):
    """Compiles a cell; gives its units with their lines, and that of a last expression (0: none)."""
    flags = TOP_LEVEL_AWAIT | state.future
    unit = compile_expression(text, name, flags)
    if unit is not None:
        return [(unit, 1)], 1
    tree, text = parse(text, name, flags)
    last = None
    line = 0
    if tree.body and type(tree.body[-1]) is Expr:
        line = tree.body[-1].lineno
        last = Expression(tree.body.pop().value)
    units = []
    if tree.body:
        unit = compile(tree, name, 'exec', flags, True)
        units.append((unit, tree.body[0].lineno))
        flags |= unit.co_flags & FUTURE_FLAGS
    if last is not None:
        units.append((compile(last, name, 'eval', flags, True), line))
    state.future = flags & FUTURE_FLAGS
    return units, line


def run(text, name):
    """Compiles and runs a cell in __main__; returns (value of a last expression, its line, error)."""
    units, line = compile_cell(text, name)
    value = error = None
    for unit, first in units:
        value = None
        value, error = yield state.context.run, eval, unit, NAMESPACE
        if error is None and unit.co_flags & CO_COROUTINE:
            from .loop import run_on_loop
            value, error = yield from run_on_loop(value, first)
        if error is not None:
            return None, 0, error
    return value if line else None, line, None


def is_new_coroutine(value):
    return type(value) is COROUTINE and not (
        value.cr_running or value.cr_suspended or value.cr_frame is None)


def show_value(outcome, holder, name, line):
    """Shows what is in the list `holder`, and empties it; gives an error."""
    value = holder[0]
    hook = sys.__dict__.get('displayhook', MISSING)
    if hook is MISSING:
        return RuntimeError('lost sys.displayhook')
    if hook is not DISPLAYHOOK:
        _, error = yield call, hook, value
        return error
    if value is None:
        return None
    builtins._ = None
    text, error = yield repr, value
    if error is not None:
        return error
    if is_new_coroutine(value):
        # Nobody can await what he has no name for: it goes where it was made, which warns of it.
        value = None
        yield eval, DROP.replace(co_filename=name, co_firstlineno=line), NAMESPACE, {
            'value': holder}
    else:
        builtins._ = value
    data = text.encode('utf-8', 'backslashreplace')
    outcome.flags |= DONE_VALUE
    if len(data) > VALUE_MAX:
        data = data[:VALUE_MAX].decode('utf-8', 'ignore').encode()
        outcome.flags |= DONE_VALUE_CUT
    outcome.value = data
    if value is not None and type(value).__module__ != 'builtins':
        from .display import rich
        _, error = yield from rich(value, is_last=True)
        return error
    return None


def execute(outcome, code, name, program):
    """Runs a cell with its streams in place; leaves no exception behind except a late SIGINT."""
    try:
        try:
            signal(SIGINT, state.sigint)
            if state.early_sigint:
                state.early_sigint = False
                raise_signal(SIGINT)
            if program is not None and program.file:
                _, error = yield from program.run()
            else:
                try:
                    text = code.decode().removeprefix('\ufeff')
                except UnicodeDecodeError:
                    text = None
                if text is None or program is not None and program.is_source:
                    from .program import decode
                    text = decode(code)
                remember(name, text)
                value, line, error = yield from run(text, name)
                holder = [value]
                value = None
                if error is None:
                    error = yield from show_value(outcome, holder, name, line)
                holder.clear()
        except BaseException as raised:
            error = raised
        if error is not None:
            yield from failed(outcome, error)
        error = None
        if not is_child():
            if 'matplotlib.pyplot' in modules:
                from .display import figures
                error = yield from figures()
            if error is None and state.runner is not None and not state.is_program:
                from .loop import turn
                error = yield from turn()
            if error is not None:
                yield from failed(outcome, error)
        if not outcome.ends:
            yield from flush_streams()
    except BaseException as raised:
        yield from failed(outcome, raised)


def note_sigint(number, frame):
    """Between cells: it may be meant for the cell that is on its way."""
    state.early_sigint = True
    if state.idling:
        yield None, KeyboardInterrupt()  # A task that does not give way keeps that cell waiting.


def look(number, frame):
    """SIGURG: the agent's way to end a system call that was begun just after a SIGINT.

    An event loop makes a cancellation of its first SIGINT, and an exception of the second; the
    agent sends one.
    """
    if type(getsignal(SIGINT)) is partial:
        from .loop import is_stuck
        if is_stuck(getsignal(SIGINT)):
            yield None, KeyboardInterrupt()


def quiet_sigint(outcome):
    """Only notes SIGINT from here on, one that is being delivered included."""
    while True:
        try:
            handler = signal(SIGINT, NOTE_SIGINT)
            # None: a handler that C code installed; it cannot be put back from here.
            state.sigint = default_int_handler if handler is None else handler
            return
        except KeyboardInterrupt:
            outcome.flags |= DONE_INTERRUPTED
            outcome.code = 130


def set_environment(pairs):
    """Sets variables and returns what they were, to be given to restore_environment."""
    before = []
    for key, value in pairs:
        key = key.decode('utf-8', 'surrogateescape')
        before.append((key, environ.get(key)))
        try:
            environ[key] = value.decode('utf-8', 'surrogateescape')
        except (OSError, ValueError):
            raise Violation('bad variable') from None
    refresh_timezone(before)
    return before


def restore_environment(before):
    for key, value in reversed(before):
        if value is None:
            environ.pop(key, None)
        else:
            environ[key] = value
    refresh_timezone(before)


def refresh_timezone(changes):
    if any(key == 'TZ' for key, _ in changes):
        from time import tzset
        tzset()


def has_background():
    """Whether something of the session's goes on between cells, and may print."""
    if count_threads() > 0:
        return True
    if state.runner is None:
        return False
    from .loop import is_busy
    return is_busy()


def run_cell(number, flags, env, file, argv, code):
    if flags & CELL_STALE_SIGINT:
        state.early_sigint = False
        # What was left over is forgotten: a SIGINT from here on is meant for the cell.
        native.send(BEGUN, u32(number))
    if state.background:
        yield from flush_streams()
    native.begin(number, flags & CELL_INTERACTIVE)
    state.cell = number
    program = None
    if argv or file:
        from .program import Program
        program = Program(file, argv)
    outcome = yield from perform(code, '<cell %d>' % number, flags, env, program)
    state.cell = 0
    state.background = has_background()
    native.finish(number, outcome.code, outcome.flags, outcome.value or b'', state.background)


def perform(code, name, flags, env, program=None):
    """Everything of a cell between its descriptors' arrival and their end."""
    outcome = Outcome()
    outcome.ends = bool(flags & CELL_FINAL)
    before = None
    state.name = name
    state.is_program = outcome.ends
    try:
        yield from prepare_streams()
        if program is not None:
            program.enter()
        NAMESPACE.pop('__warningregistry__', None)
        state.shown.clear()
        before = set_environment(env) if env else None
        yield from execute(outcome, code, name, program)
    except Violation:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            outcome.code = 130
            outcome.flags |= DONE_INTERRUPTED
    if outcome.ends:
        from .program import end
        yield from end(outcome)
    quiet_sigint(outcome)
    state.is_program = False
    if program is not None:
        program.leave()
    if is_child():
        yield from flush_streams()
        _exit(outcome.code)
    if before is not None:
        restore_environment(before)
    yield from flush_streams()
    return outcome


def settings(payload):
    fields = Fields(payload)
    entropy = fields.bytes()
    env = fields.pairs()
    fields.end()
    if env:
        set_environment(env)
    if entropy:
        state.reseed(entropy)
    native.send(SETTLED, b'')


# Start and end

def answer(kind, payload):
    from .complete import answer
    return answer(kind, payload)


def display(*objects, **options):
    from .display import display
    return (yield from display(*objects, **options))


def unraisablehook(unraisable, original=sys.unraisablehook):
    try:
        from .report import show_unraisable
        yield from show_unraisable(unraisable)
    except Exception:
        original(unraisable)  # The interpreter has gone too far towards its end.


def builtin(function, name, doc=None):
    """A function without frames (flow.h) that passes for one of the interpreter's own."""
    return native.flow(function, name, doc or name + '()', 'builtins')


def handle(kind, *message):
    if kind == CELL:
        yield from run_cell(*message)
    elif kind == SETTINGS:
        settings(*message)
    elif kind == PREPARE:
        from .prepare import prepare
        yield from prepare()
        native.send(PREPARED, b'')
    else:
        raise Violation('unknown message')


def serve(*start):
    """The worker's life; called by the interpreter as its excepthook."""
    del start
    sys.excepthook = EXCEPTHOOK
    for name in ('last_type', 'last_value', 'last_traceback', 'last_exc'):
        sys.__dict__.pop(name, None)
    yield from warm_up()
    native.answer(QUERY_CHANNEL, answer)
    native.send(READY, b'')
    while True:
        try:
            if state.runner is not None:
                from .loop import idle
                yield from idle()
            message, error = yield native.receive,
            # A signal handler of the user's may raise while no cell runs: nobody to tell.
            if error is None:
                yield from handle(*message)
        except GeneratorExit:
            raise  # The program that the session ended with is over.
        except BaseException as error:
            # It may be a signal handler of the user's that raised, which is not for us to tell.
            trace = error.__traceback__
            while trace.tb_next is not None:
                trace = trace.tb_next
            if trace.tb_frame.f_code.co_filename == __file__ and isinstance(error, Exception):
                _exit(EXIT_VIOLATION)


def warm_up():
    """Runs code once, so that the first cell of the user finds everything in place."""
    yield from perform(b'def f(n):\n    return [n]\nprint(f(0))\nf(1)', '<cell 0>', 0, ())
    for name in [name for name in NAMESPACE if not name.startswith('__')]:
        del NAMESPACE[name]
    builtins.__dict__.pop('_', None)
    state.sources.clear()
    state.sources_size = 0
    if state.linecache is not None:
        state.linecache.cache.pop('<cell 0>', None)


def move(fd):
    moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD)
    close(fd)
    return moved


def prepare_interpreter():
    sys.path[0:1] = []
    sys.argv[:] = ['']
    sys.orig_argv[1:] = []
    sys.dont_write_bytecode = True
    environ.setdefault('PYTHONDONTWRITEBYTECODE', '1')
    sys.set_int_max_str_digits(0)
    environ.setdefault('MPLBACKEND', 'Agg')
    # Not in the home, where its files would be the user's.
    environ.setdefault('MPLCONFIGDIR', MPL_CONFIG)
    sys.unraisablehook = sys.__unraisablehook__ = builtin(unraisablehook, 'unraisablehook')
    builtins.display = builtin(display, 'display', 'display($module, /, *objs, **kwargs)\n--\n\n'
                               'Show objects: text on standard output, pictures and tables '
                               'as they are.')


NOTE_SIGINT = builtin(note_sigint, 'note_sigint')


def main():
    state.null = move(open_fd('/dev/null', O_RDWR | O_CLOEXEC))
    from .reseed import GENERATORS, reseed
    state.reseed = reseed
    state.channel = native.open(CELL_CHANNEL, state.null, sysconf('SC_OPEN_MAX') - CELL_FDS - 1,
                                tuple(GENERATORS))
    signal(SIGINT, NOTE_SIGINT)
    signal(SIGURG, builtin(look, 'look'))
    register_at_fork(before=native.pause, after_in_parent=native.resume, after_in_child=native.forked)
    new_streams()
    prepare_interpreter()
    from . import ending, hooks, imports
    ending.install()
    imports.install()
    hooks.install()
    sys.excepthook = builtin(serve, 'excepthook')
    raise Start
