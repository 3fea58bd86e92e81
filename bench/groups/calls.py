# SPDX-License-Identifier: Apache-2.0
"""A call in a session that is open: cells, streams, files, and the server's own share."""

import base64
import concurrent.futures
import json
import os
import time

from kit.client import ms
from kit.server import Server

GROUP = "calls"


def measure(report, plan):
    with Server() as server, server.client() as client:
        cells(report, plan, client)
        stream(report, plan, client)
        files(report, plan, client)
        resident(report, plan, server, client)


def cells(report, plan, client):
    count = plan(400, 2000)
    for image, code, rounds in (("python", "print(1)", count), ("shell", "echo 1", count // 4),
                                ("javascript", "console.log(1)", count // 4)):
        session = client.call("session.open", image=image)["session"]
        for _ in range(50):
            client.call("session.exec", session=session, code=code)
        report.add(GROUP, f"exec {code}, {image}", "ms",
                   [ms(client.call, "session.exec", session=session, code=code) for _ in range(rounds)])
        if image == "python":
            work = "s=0\nfor i in range(1000000): s+=i*i"
            report.add(GROUP, "interpreter-bound cell, 1,000,000 rounds", "ms",
                       [ms(client.call, "session.exec", session=session, code=work) for _ in range(3)])
        client.call("session.close", session=session)
    report.add(GROUP, "pool.status (socket alone)", "ms",
               [ms(client.call, "pool.status") for _ in range(count)])


def stream(report, plan, client):
    """From the program's write to the client's read; the guest's clock is compared as NTP does."""
    session = client.call("session.open", image="python")["session"]
    client.call("session.exec", session=session, code="import time")
    best = None
    for _ in range(200):
        begin = time.time_ns()
        guest = int(client.call("session.exec", session=session, code="time.time_ns()")["value"])
        end = time.time_ns()
        if best is None or end - begin < best[0]:
            best = (end - begin, guest - (begin + end) // 2)
    samples = []

    def note(message):
        now = time.time_ns()
        if message["method"] == "cell.output":
            for line in message["params"]["text"].split():
                samples.append((now - (int(line) - best[1])) / 1e6)

    code = f"for _ in range({plan(100, 500)}):\n    print(time.time_ns())\n    time.sleep(0.02)"
    client.send("session.exec", {"session": session, "code": code, "stream": True, "timeout_ms": 600000})
    client.reply(note)
    report.add(GROUP, "first byte of streamed output", "ms", samples,
               f"clock known to ±{best[0] / 2e6:.2f} ms")
    client.call("session.close", session=session)


def files(report, plan, client):
    session = client.call("session.open", image="shell")["session"]
    size, chunk = 64 << 20, 4 << 20
    lines = [json.dumps({"jsonrpc": "2.0", "id": i, "method": "file.write", "params": {
        "session": session, "path": "blob", "offset": i * chunk, "final": (i + 1) * chunk == size,
        "base64": base64.b64encode(os.urandom(chunk)).decode()}}).encode() + b"\n"
        for i in range(size // chunk)]
    up, down = [], []
    with concurrent.futures.ThreadPoolExecutor(1) as sender:
        for _ in range(plan(2, 5)):
            client.call("session.exec", session=session, code="rm -f blob")
            begin = time.perf_counter()
            sent = sender.submit(lambda: [client.sock.sendall(line) for line in lines])
            for _ in lines:
                client.reply()
            sent.result()
            up.append(size / 1e6 / (time.perf_counter() - begin))
            begin = time.perf_counter()
            for i in range(size // chunk):
                client.send("file.read", {"session": session, "path": "blob", "offset": i * chunk,
                                          "length": chunk})
            for _ in range(size // chunk):
                client.lines.readline()
            down.append(size / 1e6 / (time.perf_counter() - begin))
    report.add(GROUP, "upload 64 MiB", "MB/s", up)
    report.add(GROUP, "download 64 MiB", "MB/s", down)
    client.call("session.close", session=session)


def resident(report, plan, server, client):
    sessions = server.open(10, "shell")
    for session in sessions:
        client.call("session.exec", session=session, code="echo 1")
    report.add(GROUP, "server resident, 10 sessions", "MiB", [server.status("VmRSS") / 1024])
    begin, seconds = server.cpu_seconds(), plan(3, 10)
    time.sleep(seconds)
    report.add(GROUP, "server CPU while idle, 10 sessions", "%",
               [(server.cpu_seconds() - begin) / seconds * 100])
    for session in sessions:
        client.call("session.close", session=session)
