# SPDX-License-Identifier: Apache-2.0
"""A client of the socket with as little Python in the way as can be: one call at a time."""

import json
import socket
import time


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.lines = self.sock.makefile("rb")
        self.number = 0

    def send(self, method, params):
        self.number += 1
        self.sock.sendall(b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n'
                          % (self.number, method.encode(), json.dumps(params).encode()))
        return self.number

    def reply(self, on_note=None):
        while True:
            line = self.lines.readline()
            if not line:
                raise ConnectionError("the server closed the connection")
            message = json.loads(line)
            if "method" in message:
                if on_note:
                    on_note(message)
                continue
            if "error" in message:
                raise RuntimeError(message["error"])
            return message["result"]

    def call(self, method, **params):
        self.send(method, params)
        return self.reply()

    def close(self):
        self.lines.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ms(function, *arguments, **options):
    begin = time.perf_counter()
    function(*arguments, **options)
    return (time.perf_counter() - begin) * 1000
