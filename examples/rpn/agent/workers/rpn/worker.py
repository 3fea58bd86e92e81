# SPDX-License-Identifier: Apache-2.0
"""A worker for a small language: a calculator in reverse Polish notation.

    2 3 + print             numbers go onto the stack, words work on it; this prints 5
    : square dup * ;        a new word
    2 square                what is on top at the end is the value of the cell

All of the protocol between agent and worker is here (docs/guest.md, "Control channel"), and of what it leaves
to a worker as much as such a language needs. The stack and the new words stay from cell to cell.
"""

import fcntl
import math
import os
import signal
import socket
import struct
import sys
import threading

CELL, SETTINGS, READY, DONE, SETTLED, DISPLAY, WAITING, PREPARE, PREPARED, ENDING, BEGUN = range(1, 12)
COMPLETE, COMPLETIONS, IS_COMPLETE, COMPLETENESS, DESCRIBE, DESCRIPTION = range(16, 22)
STALE_SIGINT = 4  # of CELL
HAS_VALUE, INTERRUPTED = 1, 2  # of DONE


# ---- messages ----

def u32(value):
    return struct.pack("<I", value)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return u32(len(data)) + data


class Fields:
    """The fields of a message, one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def text(self):
        return self.take(self.u32()).decode(errors="replace")

    def pairs(self):
        return {self.text(): self.text() for _ in range(self.u32())}


class Channel:
    def __init__(self, fd):
        # Out of the way of the cells' descriptors, and of what the user's code starts.
        self.socket = socket.socket(fileno=fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100))
        os.close(fd)

    def exactly(self, size):
        data, fds = b"", []
        while len(data) < size:
            part, more, _, _ = socket.recv_fds(self.socket, size - len(data), 3)
            if not part:
                os._exit(0)  # the agent has closed it
            data, fds = data + part, fds + more
        return data, fds

    def receive(self):
        header, fds = self.exactly(8)
        size, kind = struct.unpack("<IBxxx", header)
        return kind, Fields(self.exactly(size)[0]), fds

    def send(self, kind, payload=b""):
        self.socket.sendall(struct.pack("<IBxxx", len(payload), kind) + payload)


# ---- the language ----

class Wrong(Exception):
    """An error of the user's, told in one line."""


def words_of(code):
    """The words of a text; what stands behind a backslash or in brackets is a comment."""
    words, depth = [], 0
    for line in code.splitlines():
        for word in line.replace("(", " ( ").replace(")", " ) ").split():
            if word == "\\":
                break
            if word == "(":
                depth += 1
            elif word == ")" and depth > 0:
                depth -= 1
            elif depth == 0:
                words.append(word)
    return words, depth


class Calculator:
    def __init__(self):
        self.stack, self.new = [], {}
        self.show = None  # called with the type and the bytes of a figure
        self.words = {
            "+": lambda: self.two(lambda a, b: a + b), "-": lambda: self.two(lambda a, b: a - b),
            "*": lambda: self.two(lambda a, b: a * b), "/": lambda: self.two(self.quotient),
            "dup": lambda: self.stack.extend([self.pop()] * 2), "drop": self.pop,
            "swap": lambda: self.stack.extend([self.pop(), self.pop()]),
            "pi": lambda: self.stack.append(math.pi), "print": lambda: say(1, f"{self.pop():g}\n"),
            "read": self.read, "plot": self.plot, "forever": self.forever,
        }

    def pop(self):
        if not self.stack:
            raise Wrong("the stack is empty")
        return self.stack.pop()

    def two(self, function):
        b, a = self.pop(), self.pop()
        self.stack.append(function(a, b))

    @staticmethod
    def quotient(a, b):
        if b == 0:
            raise Wrong("a division by zero")
        return a / b

    def read(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(0, 1)
            if not byte:
                break
            line += byte
        if not line:
            raise Wrong("there is nothing to read")
        self.number(line.decode(errors="replace").strip())

    def number(self, word):
        try:
            self.stack.append(float(word))
        except ValueError:
            raise Wrong(f"{word} is neither a number nor a word") from None

    def plot(self):
        top = max([abs(value) for value in self.stack] or [1.0]) or 1.0
        bars = "".join(f'<rect x="{10 * at}" y="{40 - 40 * abs(value) / top:g}" width="9" height="40"/>'
                       for at, value in enumerate(self.stack))
        self.show("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg" height="40">{bars}</svg>'.encode())

    @staticmethod
    def forever():
        while True:
            pass

    def run(self, words):
        words = iter(words)
        for word in words:
            if word == ":":
                name = next(words, None)
                body = []
                for inner in words:
                    if inner == ";":
                        break
                    body.append(inner)
                else:
                    raise Wrong("a : without its ;")
                self.new[name] = body
            elif word in self.new:
                self.run(self.new[word])
            elif word in self.words:
                self.words[word]()
            else:
                self.number(word)

    def complete(self, code, cursor):
        start = max(code.rfind(blank, 0, cursor) for blank in " \n\t") + 1
        known = sorted({*self.words, *self.new})
        return start, cursor, {word: "keyword" if word in self.words else "function"
                               for word in known if word.startswith(code[start:cursor])}


def say(fd, line):
    data = line.encode()
    while data:
        data = data[os.write(fd, data):]


# ---- cells ----

class Worker:
    def __init__(self):
        self.cells, self.queries = Channel(3), Channel(4)
        self.calculator = Calculator()
        self.running = self.interrupted = False
        signal.signal(signal.SIGINT, self.on_interrupt)
        # The agent sends it to end a system call that began before we saw the SIGINT.
        signal.signal(signal.SIGURG, lambda *_: None)

    def on_interrupt(self, *_):
        if self.running:
            raise KeyboardInterrupt
        self.interrupted = True  # it is meant for the cell that is on its way

    def serve(self):
        threading.Thread(target=self.serve_queries, daemon=True).start()
        self.cells.send(READY)
        while True:
            kind, fields, fds = self.cells.receive()
            if kind == CELL:
                self.cell(fields, fds)
            elif kind == SETTINGS:
                fields.text()  # entropy: nothing here is random
                os.environ.update(fields.pairs())
                self.cells.send(SETTLED)
            elif kind == PREPARE:
                self.cells.send(PREPARED)

    def cell(self, fields, fds):
        number, flags = fields.u32(), fields.u8()
        fields.pairs()  # no word of the language asks for the environment
        file, _argv, code = fields.text(), fields.text(), fields.text()
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        if flags & STALE_SIGINT:
            self.interrupted = False
            self.cells.send(BEGUN, u32(number))
        self.calculator.show = lambda mime, data: self.cells.send(DISPLAY, u32(number) + text(mime) + text(data))
        status, done, value = self.run(file, code)
        null = os.open(os.devnull, os.O_RDWR)
        for target in range(3):
            os.dup2(null, target)
        os.close(null)
        self.cells.send(DONE, u32(number) + u32(status) + bytes((done,)) + text(value))

    def run(self, file, code):
        """Runs the code of a cell; returns its exit code, the flags of DONE, and the value."""
        try:
            try:
                self.running = True
                if self.interrupted:
                    raise KeyboardInterrupt
                return self.evaluate(file, code)
            finally:
                self.running = False
        except KeyboardInterrupt:
            self.running = self.interrupted = False
            say(2, "interrupted\n")
            return 130, INTERRUPTED, ""
        except (Wrong, OSError, OverflowError, RecursionError) as wrong:
            say(2, f"error: {wrong}\n")
            return 1, 0, ""

    def evaluate(self, file, code):
        if file:
            with open(file, encoding="utf-8", errors="replace") as program:
                code = program.read()
        if code.startswith("#!"):
            code = code.partition("\n")[2]
        words, depth = words_of(code)
        if depth:
            raise Wrong("a ( without its )")
        self.calculator.run(words)
        stack = self.calculator.stack
        return (0, HAS_VALUE, f"{stack[-1]:g}") if stack and words else (0, 0, "")

    # ---- queries: also while a cell runs ----

    def serve_queries(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGURG})
        while True:
            kind, fields, _ = self.queries.receive()
            number, code = fields.u32(), fields.text()
            if kind == COMPLETE:
                start, end, matches = self.calculator.complete(code, fields.u32())
                pairs = b"".join(text(word) + text(what) for word, what in matches.items())
                self.queries.send(COMPLETIONS, u32(number) + u32(start) + u32(end) + u32(len(matches)) + pairs)
            elif kind == IS_COMPLETE:
                words, depth = words_of(code)
                whole = not depth and words.count(":") <= words.count(";")
                self.queries.send(COMPLETENESS, u32(number) + bytes((0 if whole else 1,)) + text("" if whole else "  "))
            elif kind == DESCRIBE:
                self.queries.send(DESCRIPTION, u32(number) + text("") * 3)  # nothing beyond the name


if __name__ == "__main__":
    sys.setrecursionlimit(300)
    Worker().serve()
