# SPDX-License-Identifier: Apache-2.0
"""The terminal of the clients against a server that answers late, or says more than is read."""

import asyncio
import base64
import json
import os
import resource
import socket
import threading
import types

import pytest

from glassbell._async.connection import AsyncConnection
from glassbell._async.terminal import AsyncTerminal
from glassbell._poll import readable
from glassbell._sync.connection import Connection
from glassbell._sync.terminal import Terminal, _KEPT_MAX, _LATE_MAX
from glassbell.errors import ConnectionFailed, DeadlineExceeded, ProtocolError


class Peer:
    """The server's end, by hand."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.lines = self.theirs.makefile("rb")
        self.client = types.SimpleNamespace(timeout=20.0)

    def terminal(self):
        terminal = Terminal(self.client, Connection(self.ours), "s-1")
        terminal.number = 1
        return terminal

    def request(self):
        return json.loads(self.lines.readline())

    def send(self, **message):
        self.theirs.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def answer(self, request, result=None):
        self.send(id=request["id"], result=result or {})

    def show(self, data):
        self.send(method="terminal.output", params={
            "session": "s-1", "terminal": 1, "base64": base64.b64encode(data).decode()})

    def end(self):
        self.send(method="terminal.ended", params={
            "session": "s-1", "terminal": 1, "exit_code": 0, "signal": None, "message": None})


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.ours.close()
    peer.theirs.close()


def serve(script, *arguments):
    thread = threading.Thread(target=script, args=arguments, daemon=True)
    thread.start()
    return thread


def test_a_late_answer_is_not_taken_for_another_one(peer):
    terminal = peer.terminal()
    peer.client.timeout = 0.05
    with pytest.raises(DeadlineExceeded):
        terminal.write("a")
    late = peer.request()
    peer.client.timeout = 20.0

    def script():
        request = peer.request()
        peer.answer(late)
        peer.show(b"shown")
        peer.answer(request)
    thread = serve(script)
    terminal.write("b")
    thread.join()
    assert terminal.read(5) == b"shown"


def test_a_late_answer_comes_while_one_reads(peer):
    terminal = peer.terminal()
    peer.client.timeout = 0.05
    with pytest.raises(DeadlineExceeded):
        terminal.write("a")
    peer.answer(peer.request())
    peer.end()
    assert terminal.read(5) == b"" and terminal.ended


def test_an_answer_that_nobody_waits_for_is_an_error(peer):
    terminal = peer.terminal()
    thread = serve(lambda: peer.answer({"id": peer.request()["id"] + 1000}))
    with pytest.raises(ProtocolError):
        terminal.write("a")
    thread.join()


def test_a_server_that_never_answers_is_given_up(peer):
    terminal = peer.terminal()
    peer.client.timeout = 0.001
    for _ in range(_LATE_MAX + 1):
        with pytest.raises(DeadlineExceeded):
            terminal.write("a")
    with pytest.raises(ConnectionFailed):
        terminal.write("a")


def test_what_is_not_read_is_bounded_and_the_screen_comes_again(peer):
    terminal = peer.terminal()
    piece = bytes(48 << 10)

    def script():
        request = peer.request()
        for _ in range(3 * _KEPT_MAX // len(piece)):
            peer.show(piece)
        peer.answer(request)
        repaint = peer.request()
        assert repaint["method"] == "terminal.resize"
        assert (repaint["params"]["rows"], repaint["params"]["columns"]) == (24, 80)
        peer.answer(repaint)
        peer.show(b"the whole screen")
        peer.end()
    thread = serve(script)
    terminal.write("x")
    assert sum(len(note["params"].get("base64", "")) for note in terminal._notes) <= _KEPT_MAX
    thread.join()
    *_, last = terminal
    assert last == b"the whole screen" and terminal.exit_code == 0


def test_a_cancelled_write_leaves_a_terminal_that_works(peer):
    async def run():
        terminal = AsyncTerminal(peer.client, AsyncConnection(peer.ours), "s-1")
        terminal.number = 1
        task = asyncio.create_task(terminal.write("a"))
        first = await asyncio.to_thread(peer.request)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        peer.answer(first)
        task = asyncio.create_task(terminal.write("b"))
        peer.answer(await asyncio.to_thread(peer.request))
        await task
    asyncio.run(run())


def test_descriptors_above_those_of_select():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("no descriptors above 1023 here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    near, far = os.pipe()
    try:
        high = os.dup2(near, 1500)
        assert readable([high], 0) == []
        os.write(far, b"x")
        assert readable([high, near], 5) == [high, near]
        os.close(far)
        os.read(high, 1)
        assert readable([high], 5) == [high]  # the end
        os.close(high)
    finally:
        os.close(near)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
