# SPDX-License-Identifier: Apache-2.0
"""A search in the front end that takes long: a server that answers when a test wants it to. Others: tui_session_test."""

from support import wait_for
from terminal import FakeServer, front_end, made_up


class LongHistory(FakeServer):
    """A session with 500 cells; searches are not answered until a test does."""

    searches = None

    def _answer(self, connection, call):
        if call["method"] != "session.history":
            super()._answer(connection, call)
            return
        params = call["params"]
        if "find" in params:
            self.searches = [*(self.searches or []), (connection, call)]
            return
        first = params.get("after", 0) + 1
        cells = [{"session": params["session"], "cell": number, "client": "agent", "mode": "kernel", "code": f"f({number})",
                  "state": "done", "exit_code": 0, "started_at": 1700000000 + number, "wall_ms": 1.0, "stdout_bytes": 0,
                  "stderr_bytes": 0} for number in range(first, min(501, first + params.get("limit", 100)))]
        self.reply(connection, call, {"cells": cells, "more": False})


def test_a_search_tells_how_far_it_is_and_can_be_stopped(folder):
    with LongHistory(folder, [made_up(1, label="long", cells=500)]) as server, \
            front_end(folder, server.path, columns=100, rows=30) as terminal:
        terminal.wait("long")
        terminal.keys("Enter")
        terminal.wait("f(500)")
        terminal.keys("/")
        terminal.type("needle")
        terminal.keys("Enter")
        terminal.wait("searching before cell 40", "Esc stops")
        connection, call = wait_for(lambda: server.searches and server.searches[-1], what="the question")
        assert call["params"]["find"] == "needle" and call["params"]["before"] in (400, 401)
        server.reply(connection, call, {"cells": [], "more": True, "next": 250})
        terminal.wait("searching before cell 250", "/needle")
        terminal.keys("Escape")
        terminal.wait("stopped", "/needle", "f(500)")
        server.reply(*server.searches[-1], {"cells": [], "more": True, "next": 100})  # too late
        terminal.keys("N")
        terminal.wait("searching before cell 40")
        terminal.keys("Escape")
        terminal.wait("stopped")
        terminal.keys("Escape")
        terminal.wait("f(500)", without=["/needle"])
        terminal.keys("q")
        assert terminal.status() == 0
