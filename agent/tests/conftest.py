# SPDX-License-Identifier: Apache-2.0
"""The guest that the tests of a file share."""

import box
import pytest
from guest import Fields


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    guest = box.boot(str(tmp_path_factory.mktemp("boot")))
    hello = guest.receive(60)
    assert hello is not None, guest.console()
    assert hello.type == "HELLO"
    fields = Fields(hello.payload)
    assert (fields.number("I"), fields.bytes()) == (box.version(), b"python")
    guest.ready()
    yield guest
    console = guest.console()
    guest.close()
    assert "glassbell:" not in console and "Oops" not in console, console


@pytest.fixture
def vm(shared):
    shared.late.clear()
    yield shared
    # Whatever a test did: the agent answers, and a cell runs.
    assert shared.ask("PING", timeout=20).type == "PONG"
    done = shared.exec("print('alive')")
    assert done.out == b"alive\n", done
