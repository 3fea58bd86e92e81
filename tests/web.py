# SPDX-License-Identifier: Apache-2.0
"""Web servers for tests, at ports of their own."""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serving(handler, tls=None, kind=http.server.ThreadingHTTPServer, **attributes):
    """A server of class @kind that answers with @handler, which finds the attributes at `self.server`. @tls: an SSL
    context."""
    with kind(("127.0.0.1", 0), handler) as server:
        if tls is not None:  # each connection shakes hands in its own thread
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        for name, value in attributes.items():
            setattr(server, name, value)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
