"""The Python worker: runs cells that the agent sends (docs/guest.md, "Control channel").

Theory of operation
-------------------
One thread, the main one, reads messages from the cell channel (native.c) and runs cells in the
real `__main__`; a second one, started with _thread and so unknown to threading, answers questions
(completion) on the query channel while a cell runs.  Nothing of ours lives in the user's
namespace or on his descriptors: the channels are moved to 100 and above, close-on-exec, and are
closed in forked children.  A child that falls through the end of its cell flushes and leaves.

What a cell's user can rely on:
- the value of a last expression comes back as text (None: no value) and stays in builtins._;
- top-level await, on one event loop that is kept across cells;
- `from __future__` imports hold for the cells that follow, and ours never leak in;
- sys.exit(n) ends the cell with n & 255, sys.exit('text') prints and means 1; state stays;
- SIGINT raises KeyboardInterrupt in a cell (exit 130), also when it comes before the cell has
  begun; what comes behind the end of a cell is forgotten;
- sys.stdin is new when the last cell used it; stdout and stderr that are the user's own are
  kept as long as they are open, ours are replaced when he closed them;
- a sys.displayhook or sys.excepthook of his own is called instead of ours.

Known limits: only reads through sys.stdin announce that a cell waits for input, os.read(0) does
not; objects that are alive at the end of the session are not finalised one by one.

Start-up time counts ten times in a guest without hardware help, so that only builtin modules are
imported here; what is needed seldom (tracebacks, figures, completion) is in modules of its own.
"""

import builtins

# User code may replace or delete builtins; functions defined below keep the originals.
__builtins__ = dict(builtins.__dict__)

import sys
from _ast import Expr, Expression
from _io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from _signal import SIGINT, SIGURG, default_int_handler, raise_signal, signal
from _socket import AF_UNIX, SOCK_STREAM, socket
from _struct import Struct, error as StructError
from _thread import allocate_lock, start_new_thread
from fcntl import F_DUPFD_CLOEXEC, fcntl
from os import environ, register_at_fork
from posix import O_CLOEXEC, O_RDWR, _exit, close, dup2, getpid, open as open_fd, sysconf

from . import native

CELL_CHANNEL, QUERY_CHANNEL, FIRST_OWN_FD = 3, 4, 100
MESSAGE_MAX = 16 << 20
VALUE_MAX = 1 << 20
EXPRESSION_MAX = 256
DISPLAY_MAX = 8 << 20
CELL_FDS = 3
EXIT_VIOLATION = 70

CELL, SETTINGS, READY, DONE, SETTLED, DISPLAY, WAITING, PREPARE, PREPARED = range(1, 10)
BEGUN = 11
CELL_INTERACTIVE, CELL_FINAL, CELL_STALE_SIGINT = 1, 2, 4
DONE_VALUE, DONE_INTERRUPTED, DONE_VALUE_CUT = 1, 2, 4

ONLY_AST = 0x400
TOP_LEVEL_AWAIT = 0x2000
FUTURE_FLAGS = 0x1FE0000
CO_COROUTINE = 0x80

HEADER = Struct('<IBBH')  # size of the payload, type, 0, 0
U32 = Struct('<I')

MPL_CONFIG = '/tmp/.matplotlib'

MAIN = sys.modules['__main__']
NAMESPACE = MAIN.__dict__
DISPLAYHOOK = sys.displayhook
EXCEPTHOOK = sys.excepthook
PID = getpid()


class Violation(Exception):
    """The peer broke the rules of the channel."""


class Closed(Exception):
    """The peer has gone."""


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


class Channel:
    """Framed messages over one stream socket; sending is safe from any thread."""

    def __init__(self, fd, lock):
        self.socket = socket(AF_UNIX, SOCK_STREAM, 0, fd)
        self.lock = lock
        self.buffer = bytearray()

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed()
        self.buffer += data

    def receive(self):
        """Waits for a message; returns its type and payload."""
        buffer = self.buffer
        while len(buffer) < 8:
            self.fill()
        size, kind, flags, zero = HEADER.unpack_from(buffer)
        if size > MESSAGE_MAX or flags or zero:
            raise Violation('bad header')
        end = 8 + size
        while len(buffer) < end:
            self.fill()
        payload = bytes(buffer[8:end])
        del buffer[:end]
        return kind, payload

    def send(self, kind, payload=b''):
        with self.lock:
            self.socket.sendall(HEADER.pack(len(payload), kind, 0, 0) + payload)


class State:
    """What the worker remembers; one instance, `state`."""

    channel = None
    null = -1
    cell = 0
    interactive = False
    stdin_used = True
    future = 0
    sigint = default_int_handler
    early_sigint = False
    runner = None
    sources = {}
    sources_size = 0
    linecache = None
    reseed = None  # loaded before the first cell: an import would make each restore longer
    trace = None
    profile = None
    ended = False  # the final cell has: nothing is left but the interpreter's own end


state = State()


# Standard streams

class Stdin(FileIO):
    """Descriptor 0, telling the agent when an interactive cell is about to block in a read."""

    def wait(self):
        if not state.interactive:
            return False
        from select import POLLIN, poll
        ready = poll()
        ready.register(0, POLLIN)
        return not ready.poll(0)

    def readinto(self, buffer):
        state.stdin_used = True
        if not self.wait():
            return FileIO.readinto(self, buffer)
        cell = u32(state.cell)
        state.channel.send(WAITING, cell + b'\1')
        try:
            return FileIO.readinto(self, buffer)
        finally:
            if state.interactive:
                state.channel.send(WAITING, cell + b'\0')

    def read(self, size=-1):
        if size is None or size < 0:
            return self.readall()
        buffer = bytearray(size)
        got = self.readinto(buffer)
        return None if got is None else bytes(buffer[:got])

    def readall(self):
        parts = []
        while part := self.read(65536):
            parts.append(part)
        return b''.join(parts)


def new_stdin():
    raw = Stdin(0, 'r', closefd=False)
    raw.name = '<stdin>'
    text = TextIOWrapper(BufferedReader(raw), 'utf-8', 'surrogateescape')
    text.mode = 'r'
    return text


def new_output(fd):
    raw = FileIO(fd, 'w', closefd=False)
    raw.name = ('<stdout>', '<stderr>')[fd - 1]
    text = TextIOWrapper(BufferedWriter(raw), 'utf-8',
                         ('surrogateescape', 'backslashreplace')[fd - 1], line_buffering=True)
    text.mode = 'w'
    return text


def is_open(stream):
    """True for an object that can be written to; asks foreign objects carefully."""
    try:
        return stream is not None and hasattr(stream, 'write') and not getattr(
            stream, 'closed', False)
    except Exception:
        return False


def prepare_streams():
    """Gives a cell usable sys.stdin, sys.stdout and sys.stderr."""
    theirs = getattr(sys, 'stdin', None)
    if theirs is None or getattr(theirs, 'closed', False) or (
            theirs is state.stdin and state.stdin_used):
        sys.stdin = sys.__stdin__ = state.stdin = new_stdin()
        state.stdin_used = False
    for fd, name in ((1, 'stdout'), (2, 'stderr')):
        ours = getattr(state, name)
        theirs = getattr(sys, name, None)
        if theirs is ours and not ours.closed:
            continue
        if ours.closed:
            ours = new_output(fd)
            setattr(state, name, ours)
            setattr(sys, '__' + name + '__', ours)
        if not is_open(theirs):
            setattr(sys, name, ours)


def flush_streams():
    """Everything written through the language's streams reaches descriptors 1 and 2."""
    for fd, name in ((1, 'stdout'), (2, 'stderr')):
        ours = getattr(state, name)
        theirs = getattr(sys, name, None)
        try:
            if theirs is not ours and is_open(theirs):
                theirs.flush()
        except Exception:
            pass  # His own object's affair; ours below still has to be flushed.
        try:
            if not ours.closed:
                ours.flush()
        except BaseException as error:
            # What cannot be written must not turn up in the next cell: let it go to null.
            dup2(state.null, fd)
            ours.flush()
            if not isinstance(error, Exception):
                raise


# One cell

class Outcome:
    """What a cell came to."""

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
            print(code, file=sys.stderr)
        return
    outcome.code = 1
    if isinstance(error, KeyboardInterrupt):
        outcome.code = 130
        outcome.flags |= DONE_INTERRUPTED
    from .report import show
    show(type(error), error, error.__traceback__)


def remember(name, text):
    """Keeps the source of a cell for tracebacks and inspect; old ones go when there are many."""
    sources = state.sources
    sources[name] = text
    state.sources_size += len(text)
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


def run(text, name):
    """Compiles and runs a cell in __main__; returns the value of a last expression."""
    flags = TOP_LEVEL_AWAIT | state.future
    unit = compile_expression(text, name, flags)
    if unit is not None:
        return run_on_loop([unit]) if unit.co_flags & CO_COROUTINE else eval(unit, NAMESPACE)
    tree = compile(text, name, 'exec', flags | ONLY_AST, True)
    last = None
    if tree.body and type(tree.body[-1]) is Expr:
        last = Expression(tree.body.pop().value)
    units = []
    if tree.body:
        units.append(compile(tree, name, 'exec', flags, True))
        flags |= units[0].co_flags & FUTURE_FLAGS
    if last is not None:
        units.append(compile(last, name, 'eval', flags, True))
    state.future = flags & FUTURE_FLAGS
    del tree, last
    for unit in units:
        if unit.co_flags & CO_COROUTINE:
            return run_on_loop(units)
    value = None
    for unit in units:
        value = eval(unit, NAMESPACE)
    return value


async def run_units(units):
    value = None
    for unit in units:
        value = eval(unit, NAMESPACE)
        if unit.co_flags & CO_COROUTINE:
            value = await value
    return value


def run_on_loop(units):
    """Runs a cell that awaits, all of it, on the session's event loop."""
    import asyncio
    if state.runner is None or state.runner.get_loop().is_closed():
        state.runner = asyncio.Runner()
    asyncio.set_event_loop(state.runner.get_loop())
    return state.runner.run(run_units(units))


def show_value(outcome, value):
    if sys.displayhook is not DISPLAYHOOK:
        sys.displayhook(value)
        return
    if value is None:
        return
    builtins._ = None
    text = repr(value)
    builtins._ = value
    data = text.encode('utf-8', 'backslashreplace')
    outcome.flags |= DONE_VALUE
    if len(data) > VALUE_MAX:
        data = data[:VALUE_MAX].decode('utf-8', 'ignore').encode()
        outcome.flags |= DONE_VALUE_CUT
    outcome.value = data
    kind = type(value)
    if kind.__module__ != 'builtins' and (hasattr(kind, '_repr_png_')
                                          or hasattr(kind, '_repr_html_')):
        from .display import rich
        rich(value)


def execute(outcome, code, name, program):
    """Runs a cell with its streams in place; leaves no exception behind except a late SIGINT."""
    try:
        try:
            signal(SIGINT, state.sigint)
            if state.early_sigint:
                state.early_sigint = False
                raise_signal(SIGINT)
            if program is not None and program.file:
                program.run()
            else:
                text = code.decode().removeprefix('\ufeff')
                remember(name, text)
                value = run(text, name)
                show_value(outcome, value)
                del value
        except BaseException as error:
            failed(outcome, error)
        if getpid() == PID:
            if 'matplotlib.pyplot' in sys.modules:
                from .display import figures
                figures()
        flush_streams()
    except BaseException as error:
        failed(outcome, error)


def note_sigint(number, frame):
    """Between cells: it may be meant for the cell that is on its way."""
    state.early_sigint = True


def look(number, frame):
    """SIGURG: the agent's way to end a system call that was begun just after a SIGINT."""


def quiet_sigint(outcome):
    """Only notes SIGINT from here on, one that is being delivered included."""
    while True:
        try:
            handler = signal(SIGINT, note_sigint)
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


def run_cell(number, flags, env, file, argv, code):
    state.cell = number
    if flags & CELL_STALE_SIGINT:
        state.early_sigint = False
        # What was left over is forgotten: a SIGINT from here on is meant for the cell.
        state.channel.send(BEGUN, number.to_bytes(4, 'little'))
    program = None
    if argv or file:
        from .program import Program
        program = Program(file, argv)
    outcome = perform(code, '<cell %d>' % number, flags, env, program)
    with state.channel.lock:
        native.finish(number, outcome.code, outcome.flags, outcome.value or b'')


def perform(code, name, flags, env, program=None):
    """Everything of a cell between its descriptors' arrival and their end."""
    outcome = Outcome()
    prepare_streams()
    NAMESPACE.pop('__warningregistry__', None)
    before = set_environment(env) if env else None
    if state.trace is not None or state.profile is not None:
        sys.settrace(state.trace)
        sys.setprofile(state.profile)
    state.interactive = bool(flags & CELL_INTERACTIVE)
    if program is not None:
        program.enter()
    try:
        execute(outcome, code, name, program)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            outcome.code = 130
            outcome.flags |= DONE_INTERRUPTED
    if flags & CELL_FINAL and getpid() == PID:
        from .program import end
        end(outcome)
    quiet_sigint(outcome)
    state.interactive = False
    if program is not None:
        program.leave()
    if sys.gettrace() is not None or sys.getprofile() is not None or state.trace is not None:
        state.trace, state.profile = sys.gettrace(), sys.getprofile()
        sys.settrace(None)
        sys.setprofile(None)
    if getpid() != PID:
        flush_streams()
        _exit(outcome.code)
    if before is not None:
        restore_environment(before)
    flush_streams()
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
    state.channel.send(SETTLED)


# Start and end

def in_child():
    """A forked child keeps the user's streams and loses ours."""
    state.interactive = False
    for channel in (state.channel, state.queries):
        try:
            channel.socket.close()
        except OSError:
            pass


def answer_queries():
    try:
        while True:
            kind, payload = state.queries.receive()
            from .complete import answer
            state.queries.send(*answer(kind, payload))
    except Closed:
        return
    except BaseException:
        _exit(EXIT_VIOLATION)


def serve():
    while True:
        kind, *message = native.receive()
        if kind == CELL:
            run_cell(*message)
        elif kind == SETTINGS:
            settings(*message)
        elif kind == PREPARE:
            from .prepare import prepare
            prepare()
            state.channel.send(PREPARED)
        else:
            raise Violation('unknown message')


def move(fd):
    moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD)
    close(fd)
    return moved


def start():
    state.queries = Channel(move(QUERY_CHANNEL), allocate_lock())
    state.null = move(open_fd('/dev/null', O_RDWR | O_CLOEXEC))
    lock = allocate_lock()
    from .reseed import GENERATORS, reseed
    state.reseed = reseed
    state.channel = Channel(native.open(CELL_CHANNEL, state.null,
                                        sysconf('SC_OPEN_MAX') - CELL_FDS - 1, lock,
                                        tuple(GENERATORS)), lock)
    signal(SIGINT, note_sigint)
    signal(SIGURG, look)
    register_at_fork(after_in_child=in_child)
    sys.path[0:1] = []
    sys.argv[:] = ['']
    sys.set_int_max_str_digits(0)
    environ.setdefault('MPLBACKEND', 'Agg')
    # Not in the home, where its files would be the user's.
    environ.setdefault('MPLCONFIGDIR', MPL_CONFIG)
    for name in [name for name in NAMESPACE if not name.startswith('__')]:
        del NAMESPACE[name]
    state.stdin = None
    sys.stdin = None
    state.stdout, state.stderr = sys.stdout, sys.stderr
    state.stdout.reconfigure(line_buffering=True)
    from . import hooks
    hooks.install()


def warm_up():
    """Runs code once, so that the first cell of the user finds everything in place."""
    perform(b'def f(n):\n    return [n]\nprint(f(0))\nf(1)', '<cell 0>', 0, ())
    for name in [name for name in NAMESPACE if not name.startswith('__')]:
        del NAMESPACE[name]
    builtins.__dict__.pop('_', None)
    state.sources.clear()
    state.sources_size = 0


def main():
    start()
    warm_up()
    start_new_thread(answer_queries, ())
    state.channel.send(READY)
    while True:
        try:
            serve()
        except SystemExit:
            if state.ended:
                raise
        except Closed:
            _exit(0)
        except Violation:
            _exit(EXIT_VIOLATION)
        except BaseException as error:
            # A signal handler of the user's may raise while no cell runs: nobody to tell.
            trace = error.__traceback__
            while trace.tb_next is not None:
                trace = trace.tb_next
            if trace.tb_frame.f_code.co_filename == __file__ and isinstance(error, Exception):
                _exit(EXIT_VIOLATION)
