# SPDX-License-Identifier: Apache-2.0
"""Drives a worker as the agent does: over its two channels, with descriptors of its own.

A test asks for `worker(...)`, sends cells and looks at what came back.  The folder under test is
the build's output when GLASSBELL_WORKERS names it (its `python`, `javascript` and `shell` folders
are what the guest sees in /run/glassbell), else the source folder.

GLASSBELL_WORKERS_PYTHON names another interpreter than the host's, say one of the guest's version.
GLASSBELL_WORKERS_PATH and GLASSBELL_WORKERS_NODE_PATH name folders where a host without the guest's
packages keeps esbuild and the modules of Node (acorn).
"""

import array
import contextlib
import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(os.environ.get('GLASSBELL_WORKERS', HERE))
GUEST_FOLDER = '/run/glassbell'
PYTHON = os.environ.get('GLASSBELL_WORKERS_PYTHON', '/usr/bin/python3')
PATIENCE_S = 10

CELL, SETTINGS, READY, DONE, SETTLED, DISPLAY, WAITING, PREPARE, PREPARED, ENDING, BEGUN = range(1, 12)
COMPLETE, COMPLETIONS, IS_COMPLETE, COMPLETENESS, DESCRIBE, DESCRIPTION = range(16, 22)
INTERACTIVE, FINAL, STALE_SIGINT = 1, 2, 4
HAS_VALUE, INTERRUPTED, VALUE_CUT = 1, 2, 4


def u32(value):
    return struct.pack('<I', value)


def field(data):
    data = data.encode() if isinstance(data, str) else data
    return u32(len(data)) + data


def pairs(items):
    return u32(len(items)) + b''.join(field(key) + field(value) for key, value in items.items())


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        assert self.at + size <= len(self.data), 'short message from the worker'
        self.at += size
        return self.data[self.at - size:self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack('<I', self.take(4))[0]

    def bytes(self):
        return self.take(self.u32())

    def pairs(self):
        return [(self.bytes().decode(), self.bytes().decode()) for _ in range(self.u32())]

    def end(self):
        assert self.at == len(self.data), 'long message from the worker'


class Gone(Exception):
    """The worker closed its channel."""


def receive(channel, deadline):
    def exactly(size):
        data = b''
        while len(data) < size:
            channel.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                part = channel.recv(size - len(data))
            except ConnectionResetError:
                part = b''
            if not part:
                raise Gone()
            data += part
        return data

    size, kind, flags, zero = struct.unpack('<IBBH', exactly(8))
    assert size <= 16 << 20 and flags == 0 and zero == 0
    return kind, Reader(exactly(size))


class Result:
    """What a cell did."""

    def __init__(self):
        self.out = b''
        self.err = b''
        self.exit = None
        self.flags = None
        self.value = None
        self.displays = []
        self.waiting = []
        self.gone = False
        self.ending = False
        self.begun = False

    @property
    def interrupted(self):
        return bool(self.flags & INTERRUPTED)

    def __repr__(self):
        return (f'<exit {self.exit} flags {self.flags} value {self.value!r} gone {self.gone}\n'
                f'out {self.out!r}\nerr {self.err.decode(errors="replace")}>')


class Worker:
    def __init__(self, name, env=None, home=None):
        self.name = name
        self.own_home = None
        if home is None:
            self.own_home = tempfile.TemporaryDirectory(prefix='worker-')
            home = self.own_home.name
        self.home = pathlib.Path(home)
        folder = FOLDER / name
        argv = [line.replace(f'{GUEST_FOLDER}/{name}', str(folder))
                for line in (folder / 'argv').read_text().splitlines()]
        if argv[0].endswith('/python3'):
            argv[0] = PYTHON
        self.cells, cell_end = socket.socketpair()
        self.queries, query_end = socket.socketpair()
        extra = os.environ.get('GLASSBELL_WORKERS_PATH', '')
        # Last: programs of another Debian need not run here, only those that are missing are wanted.
        environ = {'PATH': '/usr/local/bin:/usr/bin:/bin:' + extra, 'HOME': str(home),
                   'LANG': 'C.UTF-8', **(env or {})}
        if 'GLASSBELL_WORKERS_NODE_PATH' in os.environ:
            environ['NODE_PATH'] = os.environ['GLASSBELL_WORKERS_NODE_PATH']
        null = os.open('/dev/null', os.O_RDWR)
        high = [fcntl.fcntl(end.fileno(), fcntl.F_DUPFD, 200) for end in (cell_end, query_end)]
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            try:
                os.setpgid(0, 0)
                os.chdir(home)
                for fd in range(3):
                    os.dup2(null, fd)
                os.dup2(high[0], 3)
                os.dup2(high[1], 4)
                os.closerange(5, 512)
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.execve(argv[0], argv, environ)
            finally:
                os._exit(127)
        self.pid = pid
        for fd in (null, *high):
            os.close(fd)
        cell_end.close()
        query_end.close()
        self.status = None
        self.number = 0
        self.query_number = 0
        kind, fields = receive(self.cells, time.monotonic() + PATIENCE_S)
        self.start_s = time.perf_counter() - started
        assert kind == READY
        fields.end()

    def close(self):
        """Ends the worker; returns its wait status."""
        self.cells.close()
        self.queries.close()
        status = self.wait(2)
        if status is None:
            os.killpg(self.pid, signal.SIGKILL)
            status = self.wait(PATIENCE_S)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        if self.own_home is not None:
            self.own_home.cleanup()
        return status

    def dismiss(self):
        """It stands still behind the DONE of a final cell until it is killed or left alone."""
        self.cells.shutdown(socket.SHUT_RDWR)

    def wait(self, seconds):
        if self.status is not None:
            return self.status
        fd = os.pidfd_open(self.pid)
        try:
            if not select.select([fd], [], [], seconds)[0]:
                return None
        finally:
            os.close(fd)
        _, self.status = os.waitpid(self.pid, 0)
        return self.status

    def interrupt(self):
        os.killpg(self.pid, signal.SIGINT)

    def nudge(self, running):
        """Finishes a cell that was interrupted, with what the agent sends to it meanwhile."""
        def ended(result):
            if result.exit is None and not result.gone:
                os.kill(self.pid, signal.SIGURG)
            return result.exit is not None or result.gone

        deadline = time.monotonic() + PATIENCE_S
        while not ended(running.result):
            assert time.monotonic() < deadline, f'timed out: {running.result}'
            running.step(time.monotonic() + 0.02)
        return running.finish()

    def start(self, code, *, stdin=b'', flags=0, env=None, null_stdin=False, file='', argv=()):
        """Sends a cell; returns a Running."""
        return Running(self, code, stdin, flags, env or {}, null_stdin, file, argv)

    def run(self, code, **options):
        """Runs a cell to its end; returns its Result."""
        return self.start(code, **options).finish()

    def settings(self, entropy=b'', env=None):
        self.send(self.cells, SETTINGS, field(entropy) + pairs(env or {}))
        kind, fields = receive(self.cells, time.monotonic() + PATIENCE_S)
        assert kind == SETTLED
        fields.end()

    def prepare(self):
        self.send(self.cells, PREPARE, b'')
        kind, fields = receive(self.cells, time.monotonic() + 3 * PATIENCE_S)
        assert kind == PREPARED
        fields.end()

    @staticmethod
    def send(channel, kind, payload, fds=()):
        message = struct.pack('<IBBH', len(payload), kind, 0, 0) + payload
        channel.settimeout(PATIENCE_S)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        sent = channel.sendmsg([message], ancillary)
        if sent < len(message):
            channel.sendall(message[sent:])

    def ask(self, kind, rest, answer):
        self.query_number += 1
        self.send(self.queries, kind, u32(self.query_number) + rest)
        got, fields = receive(self.queries, time.monotonic() + PATIENCE_S)
        assert got == answer and fields.u32() == self.query_number
        return fields

    def complete(self, code, cursor=None):
        """Completes; returns (start, end, {text: type})."""
        fields = self.ask(COMPLETE, field(code) + u32(len(code) if cursor is None else cursor),
                          COMPLETIONS)
        reply = fields.u32(), fields.u32(), dict(fields.pairs())
        fields.end()
        return reply

    def is_complete(self, code):
        """Returns (status, indent)."""
        fields = self.ask(IS_COMPLETE, field(code), COMPLETENESS)
        reply = ('complete', 'incomplete', 'invalid')[fields.u8()], fields.bytes().decode()
        fields.end()
        return reply

    def describe(self, code):
        """Returns (kind, signature, first line of the documentation)."""
        fields = self.ask(DESCRIBE, field(code), DESCRIPTION)
        reply = tuple(fields.bytes().decode() for _ in range(3))
        fields.end()
        return reply


class Running:
    """A cell on its way; finish() drains it, as does until(condition)."""

    def __init__(self, worker, code, stdin, flags, env, null_stdin, file='', argv=()):
        self.worker = worker
        self.result = Result()
        worker.number += 1
        self.number = worker.number
        self.final = bool(flags & FINAL)
        code = code.encode() if isinstance(code, str) else code
        self.out, out = os.pipe()
        self.err, err = os.pipe()
        if null_stdin:
            source, self.stdin = os.open('/dev/null', os.O_RDONLY), None
        else:
            source, self.stdin = os.pipe()
            os.write(self.stdin, stdin)
            if not flags & INTERACTIVE:
                self.end_input()
        self.open = {self.out: 'out', self.err: 'err'}
        Worker.send(worker.cells, CELL, u32(self.number) + bytes((flags,)) + pairs(env)
                    + field(os.fsencode(file)) + field(b''.join(os.fsencode(item) + b'\0' for item in argv))
                    + field(code), (source, out, err))
        for fd in (source, out, err):
            os.close(fd)

    def input(self, data):
        os.write(self.stdin, data)

    def end_input(self):
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def step(self, deadline):
        """Takes in whatever comes next; false when nothing came in time."""
        watched = list(self.open) + ([] if self.result.exit is not None or self.result.gone
                                     else [self.worker.cells])
        ready = select.select(watched, [], [], max(0, deadline - time.monotonic()))[0]
        for fd in ready:
            if fd is self.worker.cells:
                self.message(deadline)
                continue
            data = os.read(fd, 1 << 16)
            if not data:
                os.close(fd)
                del self.open[fd]
                continue
            name = {self.out: 'out', self.err: 'err'}[fd]
            setattr(self.result, name, getattr(self.result, name) + data)
        return bool(ready)

    def message(self, deadline):
        result = self.result
        try:
            kind, fields = receive(self.worker.cells, deadline)
        except Gone:
            result.gone = True
            if result.ending:
                result.exit = os.waitstatus_to_exitcode(self.worker.wait(PATIENCE_S))
            return
        number = fields.u32()
        assert number == self.number
        if kind == DONE:
            result.exit, flags = fields.u32(), fields.u8()
            value = fields.bytes()
            assert flags & HAS_VALUE or not value
            if result.ending:
                assert not flags
            else:
                result.flags, result.value = flags, value.decode() if flags & HAS_VALUE else None
        elif kind == ENDING:
            result.ending = True
            result.flags = fields.u8()
            value = fields.bytes()
            result.value = value.decode() if result.flags & HAS_VALUE else None
        elif kind == BEGUN:
            assert not result.begun
            result.begun = True
        elif kind == DISPLAY:
            result.displays.append((fields.bytes().decode(), fields.bytes()))
        elif kind == WAITING:
            result.waiting.append(fields.u8())
        else:
            raise AssertionError(f'message {kind}')
        fields.end()

    def until(self, condition, seconds=PATIENCE_S):
        deadline = time.monotonic() + seconds
        while not condition(self.result):
            assert time.monotonic() < deadline, f'timed out: {self.result}'
            self.step(deadline)
        return self.result

    def finish(self, seconds=PATIENCE_S, to_eof=False):
        """Waits for DONE (or the worker's end) and takes in all output written before it."""
        self.until(lambda result: result.exit is not None or result.gone, seconds)
        if self.final and self.result.exit is not None:
            self.worker.dismiss()
        self.end_input()
        while self.open and self.step(time.monotonic() + (seconds if to_eof else 0)):
            pass
        if self.worker is not None and not to_eof:
            for fd in list(self.open):
                os.close(fd)
            self.open = {}
        return self.result


@contextlib.contextmanager
def worker(name, **options):
    process = Worker(name, **options)
    try:
        yield process
    finally:
        process.close()


@contextlib.contextmanager
def served(path, content):
    """A FIFO that gives its content once: whoever opened it again would wait for ever."""
    os.mkfifo(path)
    feeder = threading.Thread(target=lambda: path.write_bytes(content), daemon=True)
    feeder.start()
    yield path
    feeder.join(PATIENCE_S)
    assert not feeder.is_alive()
