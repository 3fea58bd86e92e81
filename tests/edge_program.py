# SPDX-License-Identifier: Apache-2.0
"""glassbell-edge without a server: its messages, and a server of this machine behind it."""

import array
import contextlib
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import threading

from certificates import HOST
from support import BINARY

EDGE = pathlib.Path(BINARY).parent.parent / "glassbell-edge"
VALUE = "canary-5f2c81f0a9d34e77/+b"
HOLDER = "gb_secret_API_0123456789abcdef"
SECRET, START, NEW_VALUE, CONNECT, SHARE, HERITAGE, READY, REQUEST, REFUSED, WANT, FAILED = range(1, 12)
BEARER, BASIC, HEADER, QUERY = range(4)
REASONS = ["bad_request", "other_host", "no_secret", "bad_certificate", "bad_answer", "bad_tls", "too_many_connections"]
CONNECTIONS = 256
FIELDS = [("kind", "B"), ("index", "I"), ("place", "B"), ("trust", "B"), ("expires", "Q"), ("name", ""), ("holder", ""),
          ("key", ""), ("hosts", ""), ("number", "Q"), ("cell", "I"), ("port", "I"), ("status", "I"), ("reason", "I"),
          ("method", ""), ("path", ""), ("secrets", "")]


def packed(**given):
    text = b""
    for name, kind in FIELDS:
        value = given.get(name, b"" if kind == "" else 0)
        value = value.encode() if isinstance(value, str) else value
        text += struct.pack("<I", len(value)) + value if kind == "" else struct.pack("<" + kind, value)
    return text


def unpacked(text):
    found, at = {}, 0
    for name, kind in FIELDS:
        size = struct.calcsize("<" + kind) if kind else 4
        value = struct.unpack_from("<" + (kind or "I"), text, at)[0]
        at += size
        if not kind:
            value, at = text[at:at + value].decode(), at + value
        found[name] = value
    assert at == len(text)
    return found


class Upstream:
    """A TLS server that reads what comes and says what it is told to."""

    def __init__(self, authority, certificate="leaf"):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority / f"{certificate}.pem", authority / "leaf.key")
        self.context.set_alpn_protocols(["http/1.1"])

    def accept(self, raw):
        raw.settimeout(60)
        return self.context.wrap_socket(raw, server_side=True)


class Edge:
    def __init__(self, authority, secrets=None, trust=True, value=VALUE, certificate="leaf", heritage=None, **more):
        self.upstream = Upstream(authority, certificate)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(60)
        self.socket = ours
        assert theirs.fileno() != 3
        self.process = subprocess.Popen(["/bin/bash", "-c", f"exec 3<&{theirs.fileno()}; exec {EDGE}"],
                                        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self.number = 0
        for index, one in enumerate(secrets or [{"place": BEARER}]):
            read, write = os.pipe()
            os.write(write, one.pop("value", value).encode() + b"\n")
            os.close(write)
            fds = [read]
            if trust:
                fds.append(os.open(authority / "ca.pem", os.O_RDONLY))
            self.send(fds, **{"kind": SECRET, "name": f"API{index}", "trust": len(fds) - 1, "hosts": HOST,
                                     "holder": HOLDER if index == 0 else HOLDER + str(index), **one, **more})
        if heritage is not None:
            self.send([heritage], kind=HERITAGE)
        self.send([os.open("/etc/ssl/certs/ca-certificates.crt", os.O_RDONLY)], kind=START)
        ready = self.receive()
        assert ready["kind"] == READY, ready
        self.pem = ready["name"]

    def send(self, fds, **message):
        self.socket.sendmsg([packed(**message)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
                            if fds else [])
        for fd in fds:
            os.close(fd)

    def receive(self):
        return unpacked(self.socket.recv(65536))

    def connect(self, name=HOST, room=None):
        """The program's end, and the server's, both without TLS. What is sent to the program has @room."""
        ours, guest = socket.socketpair()
        if room is not None:
            guest.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        server, far = socket.socketpair()
        self.number += 1
        self.send([os.dup(guest.fileno()), os.dup(far.fileno())], kind=CONNECT, number=self.number, cell=7, port=443,
                  name=name)
        guest.close()
        far.close()
        ours.settimeout(60)
        return ours, server

    def wrap(self, raw, name=HOST, alpn=("h2", "http/1.1")):
        context = ssl.create_default_context(cadata=self.pem)
        context.set_alpn_protocols(list(alpn))
        return context.wrap_socket(raw, server_hostname=name)

    def exchange(self, request, answer=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", name=HOST, pieces=None):
        """What the server got, and what the program got."""
        raw, server = self.connect(name)
        got = []

        def serve():
            with contextlib.suppress(OSError), self.upstream.accept(server) as tls:
                text = self.take(tls)
                got.append(text)
                if self.is_whole(text):
                    for piece in pieces or [answer]:
                        tls.sendall(piece)
                with contextlib.suppress(OSError):
                    tls.unwrap()
        thread = threading.Thread(target=serve)
        thread.start()
        back = b""
        with self.wrap(raw, name) as tls:
            tls.sendall(request)
            with contextlib.suppress(ssl.SSLEOFError):
                while True:
                    more = tls.recv(65536)
                    if not more:
                        break
                    back += more
                    if self.is_whole(back) and b"Connection: close" not in back:
                        break
        thread.join()
        return b"".join(got), back

    @classmethod
    def take(cls, tls):
        """A whole request, or what there was of it."""
        text = b""
        while not cls.is_whole(text):
            more = tls.recv(65536)
            if not more:
                break
            text += more
        return text

    @staticmethod
    def is_whole(text):
        head, found, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if b"chunked" in head:
            return body.endswith(b"0\r\n\r\n")
        return bool(found) and len(body) >= (int(length[1]) if length else 0)

    def close(self):
        self.socket.close()
        assert self.process.wait(60) == 0
