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
        printing(report, plan, server, client, session)
        client.call("session.close", session=session)


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


# One program prints as fast as it may in small letters; the other, above that, what was typed last.
FLOOD = r"""stty raw -echo; page=$(printf "\\e[2;1H"; for row in {1..38}; do printf "%0100d\\r\\n" 0; done | tr 0 x)
yes "$page" & echo $! >flood; cat | while IFS= read -rN1 key; do printf "\\e[1;1H%s" "$key"; done
"""


def printed(client, session):
    """When, in seconds, and the bytes that the flood has written so far, both as the guest sees it."""
    told = client.call("session.exec", session=session, code="echo $EPOCHREALTIME; cat /proc/$(cat flood)/io")["stdout"]
    words = told.split()
    return float(words[0]), int(words[words.index("wchar:") + 1])


def printing(report, plan, server, client, session):
    with on_terminal(server, "exec", "-it", session, "bash", "-c", FLOOD) as terminal:
        terminal.until(b"xxxx")
        begun, before = printed(client, session)
        samples = echoes(terminal, plan(50, 500))
        ended, after = printed(client, session)
        report.add(GROUP, "key to screen while a terminal prints all the time", "ms", samples)
        report.add(GROUP, "what it prints meanwhile", "MB/s", [(after - before) / (ended - begun) / 1e6])
