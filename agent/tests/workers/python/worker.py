# SPDX-License-Identifier: Apache-2.0
"""The smallest worker that keeps the contract of docs/guest.md: the agent's tests run with it, so
that they say something about the agent alone. The code of a cell finds the channels as `cell` and
`query`, because the tests misuse them, and the program that it is as `file` and `argv`; a file's code
is read from it. As "shell" the code is the argument of `bash -c`."""

import array
import os
import signal
import socket
import struct
import sys
import threading
import traceback

cell = socket.socket(fileno=os.dup2(3, 100, inheritable=False))
query = socket.socket(fileno=os.dup2(4, 101, inheritable=False))
os.close(3)
os.close(4)
null = os.open("/dev/null", os.O_RDWR)
space = {"cell": cell, "query": query}
running = False
pid = os.getpid()


def on_sigint(number, frame):
    if running:
        raise KeyboardInterrupt


def send(channel, kind, payload=b""):
    channel.sendall(struct.pack("<IBBH", len(payload), kind, 0, 0) + payload)


def receive(channel):
    head, fds = b"", array.array("i")
    while len(head) < 8:
        data, ancillary, _, _ = channel.recvmsg(8 - len(head), socket.CMSG_SPACE(12))
        if not data:
            sys.exit(0)
        head += data
        for _, _, packed in ancillary:
            fds.frombytes(packed)
    size, kind, _, _ = struct.unpack("<IBBH", head)
    payload = b""
    while len(payload) < size:
        payload += channel.recv(size - len(payload))
    return kind, payload, list(fds)


def run(code):
    """The cell's exit code, and whether it was interrupted."""
    global running
    running = True
    try:
        if sys.argv[1:] == ["shell"]:
            if code.startswith("exec "):
                os.execvp("bash", ["bash", "-c", code])
            status = os.spawnvp(os.P_WAIT, "bash", ["bash", "-c", code])
            return (status, 0) if status >= 0 else (128 - status, 0)
        exec(compile(code, "<cell>", "exec"), space)
        return 0, 0
    except SystemExit as end:
        return (end.code or 0) & 255, 0
    except KeyboardInterrupt:
        return 130, 2
    except BaseException:
        traceback.print_exc()
        return 1, 0
    finally:
        running = False
        sys.stdout.flush()
        sys.stderr.flush()
        if os.getpid() != pid:
            os._exit(0)  # a child that came to the end of the code


def serve_cell(payload, fds):
    number, stale = struct.unpack_from("<IB", payload)
    if stale & 4:
        send(cell, 11, struct.pack("<I", number))
    at = 9
    for _ in range(struct.unpack_from("<I", payload, 5)[0]):
        pair = []
        for _ in range(2):
            size = struct.unpack_from("<I", payload, at)[0]
            pair.append(payload[at + 4:at + 4 + size])
            at += 4 + size
        os.environb[pair[0]] = pair[1]
    texts = []
    for _ in range(3):
        size = struct.unpack_from("<I", payload, at)[0]
        texts.append(payload[at + 4:at + 4 + size])
        at += 4 + size
    assert at == len(payload)
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    space.update(number=number, file=texts[0], argv=texts[1].split(b"\0")[:-1])
    if texts[0]:
        assert not texts[2]
        with open(texts[0], "rb") as program:
            texts[2] = program.read()
    code, flags = run(texts[2].decode())
    for target in range(3):
        os.dup2(null, target)
    send(cell, 4, struct.pack("<IIBI", number, code, flags, 0))


def serve_queries():
    while True:
        kind, payload, _ = receive(query)
        number = struct.unpack_from("<I", payload)[0]
        if kind == 16:
            pair = struct.pack("<I", 5) + b"print" + struct.pack("<I", 8) + b"function"
            send(query, 17, struct.pack("<IIII", number, 0, 2, 1) + pair)
        elif kind == 20:
            told = (b"function", b"(obj, /)", b"Return the number of items in a container.")
            send(query, 21, struct.pack("<I", number) + b"".join(struct.pack("<I", len(part)) + part for part in told))
        else:
            send(query, 19, struct.pack("<IBI", number, 1, 4) + b"    ")


signal.signal(signal.SIGINT, on_sigint)
threading.Thread(target=serve_queries, daemon=True).start()
send(cell, 3)
while True:
    kind, payload, fds = receive(cell)
    if kind == 1:
        serve_cell(payload, fds)
    elif kind == 2:
        send(cell, 5)
