# SPDX-License-Identifier: Apache-2.0
"""The network by permission: how soon a connection stands, how soon one that may not is told so, how fast a
stream is, and what a restore pays for it. The servers are this program's own, on loopback."""

import contextlib
import json
import selectors
import socket
import threading
import time

from groups.opening import pool_of
from kit.server import Server
from kit.wait import until

GROUP = "network"
PIECE = bytes(1 << 16)


class Peer:
    """Talks with whoever connects: the first byte says what is wanted: e: sends back what comes; g: gives
    zeros until the other goes; t: takes until the end, and answers with a byte; anything else: nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        with contextlib.suppress(OSError), selectors.DefaultSelector() as waiting:
            waiting.register(self.listener, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    if key.fileobj is self.listener:
                        waiting.register(self.listener.accept()[0], selectors.EVENT_READ)
                        continue
                    waiting.unregister(key.fileobj)
                    threading.Thread(target=self.talk, args=(key.fileobj,), daemon=True).start()

    @staticmethod
    def talk(peer):
        with contextlib.suppress(OSError), peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wish = peer.recv(1)
            while wish == b"g":
                peer.sendall(PIECE)
            while wish in (b"e", b"t") and (data := peer.recv(1 << 16)):
                if wish == b"e":
                    peer.sendall(data)
            if wish == b"t":
                peer.sendall(b".")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()


def policy(port):
    return {"rules": [f"allow app.test :{port} private", "resolve app.test 127.0.0.1",
                      "allow shut.test :1 private", "resolve shut.test 127.0.0.1"]}


# In the guest. Each prints one line of JSON.
HELP = """
import asyncio, json, socket, threading, time
def since(begin):
    return (time.perf_counter() - begin) * 1000
def tries(host, port, count):
    found = []
    for _ in range(count):
        begin = time.perf_counter()
        try:
            socket.create_connection((host, port), 20).close()
        except OSError:
            pass
        found.append(since(begin))
    return found
def rate(wish, size):
    with socket.create_connection(("app.test", PORT), 20) as s:
        s.sendall(wish)
        begin, done = time.perf_counter(), 0
        if wish == b"g":
            while done < size:
                done += len(s.recv(1 << 20))
        else:
            piece = bytes(1 << 20)
            while done < size:
                s.sendall(piece)
                done += len(piece)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        return done / (1 << 20) / (time.perf_counter() - begin)
async def many(count):
    async def one():
        reader, writer = await asyncio.open_connection("app.test", PORT)
        writer.write(b"e" + b"x" * 1000)
        return reader, writer
    begin = time.perf_counter()
    pairs = await asyncio.gather(*(one() for _ in range(count)))
    for reader, writer in pairs:
        await reader.readexactly(1000)
    took = since(begin)
    for reader, writer in pairs:
        writer.close()
    return took
"""


def ask(client, session, expression):
    cell = client.call("session.exec", session=session, code=f"print(json.dumps({expression}))", timeout_ms=120000)
    if cell["exit_code"] != 0:
        raise RuntimeError(cell["stderr"])
    return json.loads(cell["stdout"])


def measure(report, plan):
    with Peer() as peer, Server() as server, server.client() as client:
        client.call("image.warm", image="python")
        session = client.call("session.open", image="python", network=policy(peer.port), idle_ms=0)["session"]
        client.call("session.exec", session=session, code=HELP.replace("PORT", str(peer.port)))
        count = plan(50, 300)
        ask(client, session, f"tries('app.test', {peer.port}, 5)")
        for name, host, port in (("connect by an allowed name", "app.test", peer.port),
                                 ("connect, refused by the host", "shut.test", 1),
                                 ("connect, forbidden name", "other.test", 80),
                                 ("connect, forbidden port", "app.test", 22)):
            report.add(GROUP, name, "ms", ask(client, session, f"tries({host!r}, {port}, {count})"))
        size = plan(64, 256) << 20
        for name, wish in (("one stream to the guest", b"g"), ("one stream from the guest", b"t")):
            report.add(GROUP, name, "MiB/s", [ask(client, session, f"rate({wish!r}, {size})") for _ in range(plan(2, 5))])
        report.add(GROUP, "1,000 streams opened, 1,000 bytes there and back", "ms",
                   [ask(client, session, "asyncio.run(many(1000))") for _ in range(plan(1, 3))])
        interrupts(report, plan, server, session, peer.port)
        client.call("session.close", session=session)
    restore(report, plan)


def interrupts(report, plan, server, session, port):
    """From the request to the end of the cell, while four streams run at full speed."""
    with server.client() as client:
        client.call("session.exec", session=session, code=f"""
def take():
    with socket.create_connection(("app.test", {port}), 20) as s:
        s.sendall(b"g")
        while s.recv(1 << 18):
            pass
for _ in range(4):
    threading.Thread(target=take, daemon=True).start()""")
    samples = []
    with server.client() as client, server.client() as other:
        for _ in range(plan(20, 100)):
            started = threading.Event()
            end = []

            def run():
                client.send("session.exec", {"session": session, "code": "print(1, flush=True)\nwhile True: time.sleep(9)",
                                             "stream": True})
                with contextlib.suppress(RuntimeError):
                    client.reply(lambda note: started.set())
                end.append(time.perf_counter())

            thread = threading.Thread(target=run)
            thread.start()
            started.wait()
            begin = time.perf_counter()
            other.call("session.interrupt", session=session)
            thread.join()
            samples.append((end[0] - begin) * 1000)
    report.add(GROUP, "interrupt while four streams run", "ms", samples)


def restore(report, plan):
    """Sessions with a network and without in turn, from a pool that has one ready."""
    times = {True: [], False: []}
    with Server('[pool "python"]\nfloor = 1\nceiling = 1\n') as server, server.client() as client:
        client.call("image.warm", image="python")
        for turn in range(plan(16, 80)):
            network = turn % 2 == 0
            until(lambda: pool_of(client, "python")["ready"] > 0)
            begin = time.perf_counter()
            session = client.call("session.open", image="python", **({"network": policy(80)} if network else {}))["session"]
            client.call("session.exec", session=session, code="print(1)")
            times[network].append((time.perf_counter() - begin) * 1000)
            client.call("session.close", session=session)
    report.add(GROUP, "pool: open and print(1), without a network", "ms", times[False])
    report.add(GROUP, "pool: open and print(1), with one", "ms", times[True])
