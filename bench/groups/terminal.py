# SPDX-License-Identifier: Apache-2.0
"""Terminals: how soon `repl` asks for the first line and answers it, and how soon a key comes back from a program in a
guest."""

import contextlib
import os
import signal
import time

from kit.server import Server
from kit.tty import Terminal

GROUP = "terminal"


@contextlib.contextmanager
def on_terminal(server, *arguments):
    terminal = Terminal(*arguments, env=dict(server.env, HOME=str(server.folder)))
    try:
        yield terminal
    finally:
        os.kill(terminal.pid, signal.SIGHUP)
        terminal.drain()


def measure(report, plan):
    with Server() as server, server.client() as client:
        client.call("image.warm", image="python")
        prompts, answers = [], []
        for _ in range(plan(8, 30)):
            with on_terminal(server, "repl") as repl:
                prompts.append((repl.until(b">>>") - repl.begun) * 1000)
                os.write(repl.fd, b"6 * 7\r")
                answers.append((repl.until(b"42\r") - repl.begun) * 1000)
        report.add(GROUP, "repl to the first prompt", "ms", prompts)
        report.add(GROUP, "repl to the answer of a line typed at once", "ms", answers)
        session = client.call("session.open", image="shell", idle_ms=0)["session"]
        keys(report, plan, server, session)
        client.call("session.close", session=session)
        printing(report, plan, server, client)


def echoes(terminal, count):
    """From each key to its echo."""
    samples = []
    for number in range(count):
        end = time.perf_counter() + 0.02
        while (left := end - time.perf_counter()) > 0:
            terminal.read(left)
        letter = b"QVWZ"[number % 4:][:1]
        terminal.text = b""
        begin = time.perf_counter()
        os.write(terminal.fd, letter)
        samples.append((terminal.until(letter) - begin) * 1000)
    return samples


def keys(report, plan, server, session):
    with on_terminal(server, "exec", "-it", session, "cat") as terminal:
        terminal.until(b"\x1b[2J")  # the guest's screen is shown: a key is the guest's
        report.add(GROUP, "exec -it, a key there and back", "ms", echoes(terminal, plan(100, 1000)))


# Prints 4 MB/s in small letters, below a line with what was typed last.
FLOOD = r"""import os, select, time, tty
open("flood", "w").write(str(os.getpid()))
tty.setraw(0)
page = b"\x1b[2;1H" + (b"x" * 100 + b"\r\n") * 38
begun, size = time.monotonic(), 0
while True:
    rest = begun + size / 4e6 - time.monotonic()
    if select.select([0], [], [], max(rest, 0))[0]:
        os.write(1, b"\x1b[1;1H" + os.read(0, 1))
    elif rest <= 0:
        size += os.write(1, page)
"""
# When, and the bytes that it has written by then, both as the guest sees it.
PRINTED = """import time
print(time.monotonic(), open(f"/proc/{open('flood').read()}/io").read())"""


def printed(client, session):
    words = client.call("session.exec", session=session, code=PRINTED)["stdout"].split()
    return float(words[0]), int(words[words.index("wchar:") + 1])


def printing(report, plan, server, client):
    session = client.call("session.open", image="python", idle_ms=0)["session"]
    with on_terminal(server, "exec", "-it", session, "python3", "-c", FLOOD) as terminal:
        terminal.until(b"xxxx")
        begun, before = printed(client, session)
        samples = echoes(terminal, plan(100, 500))
        ended, after = printed(client, session)
        report.add(GROUP, "key to screen while a terminal prints all the time", "ms", samples)
        report.add(GROUP, "what it prints meanwhile", "MB/s", [(after - before) / (ended - begun) / 1e6])
    client.call("session.close", session=session)
