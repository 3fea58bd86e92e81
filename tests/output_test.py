# SPDX-License-Identifier: Apache-2.0
"""Output: to the byte, in order, in time, bounded."""

import hashlib
import threading

import pytest

from support import data_of, err, out


@pytest.mark.parametrize("size", [1, 4095, 65535, 65536, 65537, 999999])
def test_sizes_are_exact(py, size):
    cell = py.exec(f"print('x'*{size})")
    assert hashlib.sha256(data_of(cell, "stdout")).digest() == \
        hashlib.sha256(b"x" * size + b"\n").digest()
    assert cell["truncated"] == {"stdout": 0, "stderr": 0}


def test_past_the_cap_is_counted_and_the_program_goes_on(py):
    cell = py.exec("import sys\nsys.stdout.write('y'*3_000_000)\nsys.stderr.write('e'*400_000)\n"
                   "open('after','w').write('ran on')")
    assert len(data_of(cell, "stdout")) == 1 << 20 and cell["exit_code"] == 0
    assert cell["truncated"] == {"stdout": 3_000_000 - (1 << 20), "stderr": 400_000 - (256 << 10)}
    assert len(data_of(cell, "stderr")) == 256 << 10
    assert out(py.exec("print(open('after').read())")) == "ran on\n"


def test_caps_can_be_set(py):
    cell = py.exec("print('z'*100)", max_stdout=10)
    assert out(cell) == "z" * 10 and cell["truncated"]["stdout"] == 91
    cell = py.exec("import sys\nfor i in range(6): sys.stdout.write('w'*(1<<20))", max_stdout=8 << 20)
    assert data_of(cell, "stdout") == b"w" * (6 << 20) and cell["truncated"]["stdout"] == 0


def test_streamed_chunks_come_early_and_join_to_the_whole(fresh):
    s = fresh()
    chunks = {"stdout": b"", "stderr": b""}
    first = threading.Event()

    def note(message):
        # cell.waiting comes between, when the program reaches input() before our line does.
        if message["method"] == "cell.output":
            chunks[message["params"]["stream"]] += data_of(message["params"])
            first.set()

    s.client.on_note = note
    pending = s.send(
        "import sys\nprint('one ü')\nsys.stderr.write('e1\\n')\nprint(input())\nprint('€'*5000)\n",
        stream=True, interactive=True)
    assert first.wait(60) and not pending.done()  # the cell waits for us: what came, came early
    s.call("session.stdin", text="line\n", eof=True)
    cell = pending.wait()
    s.client.on_note = None
    assert chunks["stdout"].decode() == out(cell) == "one ü\nline\n" + "€" * 5000 + "\n"
    assert chunks["stderr"].decode() == err(cell) == "e1\n"


def test_no_chunk_cuts_a_character(fresh):
    s = fresh()
    texts = []

    def note(message):
        if message["method"] == "cell.output":
            texts.append("text" in message["params"])

    s.client.on_note = note
    cell = s.exec("import os\nfor b in ('€'*300).encode():\n    os.write(1, bytes([b]))", stream=True)
    s.client.on_note = None
    assert out(cell) == "€" * 300 and texts and all(texts)


def test_forged_protocol_text_is_just_text(py):
    code = ('import sys\nprint(\'{"type":"complete","exit_code":0}\')\n'
            "sys.stderr.write('__SENTINEL_fake_0__\\n')\nsys.exit(5)")
    cell = py.exec(code)
    assert cell["exit_code"] == 5 and '"exit_code":0' in out(cell) and "__SENTINEL_fake_0__" in err(cell)


def test_odd_characters_pass(py):
    text = "a\r\nb\rc\n\x1b[31mred\x1b[0m\x00nul 😀 漢字"
    assert out(py.exec(f"import sys; sys.stdout.write({text!r})")) == text


def test_stderr_without_newline(py):
    cell = py.exec("import sys; sys.stderr.write('no newline')")
    assert err(cell) == "no newline" and out(cell) == ""


def test_output_before_a_crash(fresh):
    cell = fresh().exec("import os; print('before',flush=True); os._exit(42)")
    assert out(cell) == "before\n" and cell["exit_code"] == 42 and cell["state_lost"]


def test_endless_output_ends_at_the_timeout(fresh):
    s = fresh()
    cell = s.exec("while True: print('spam\\n' * 1000)", timeout_ms=2000)
    assert cell["timed_out"] and out(cell).startswith("spam\n") and cell["truncated"]["stdout"] > 0
    assert out(s.exec("print('fine')")) == "fine\n"


def test_javascript_output_is_complete(js):
    cell = js.exec("for (let i = 0; i < 5000; i++) { console.log('l'.repeat(49)); }\n"
                   "process.stdout.write('p'.repeat(250000))")
    assert data_of(cell, "stdout") == (b"l" * 49 + b"\n") * 5000 + b"p" * 250000


def test_two_streams_keep_their_order(py):
    cell = py.exec("import sys\nfor i in range(1000):\n print(i)\n print(-i, file=sys.stderr)")
    assert out(cell) == "".join(f"{i}\n" for i in range(1000))
    assert err(cell) == "".join(f"{-i}\n" for i in range(1000))


def test_binary_output_is_kept(py):
    cell = py.exec("import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert data_of(cell, "stdout") == bytes(range(256)) and "stdout" not in cell


def test_wide_characters_are_exact(py):
    assert out(py.exec("print('€'*4000)")) == "€" * 4000 + "\n"


def test_late_output_is_not_the_next_cells(fresh):
    s = fresh("shell")
    first = s.exec("(read x < <(sleep 1); echo late) & echo now")
    second = s.exec("sleep 2; echo second")
    assert out(first) == "now\n" and out(second) == "second\n"
    late = [b for c in (second, s.exec("true")) for b in c.get("background", [])]
    assert [(b["cell"], b["stream"], b["text"]) for b in late] == [(first["cell"], "stdout", "late\n")]


def test_a_watcher_that_leaves_harms_nobody(server, fresh):
    s = fresh("shell")
    with server.client() as other:
        pending = other.send("session.exec", session=s.id, code="for i in 1 2 3; do echo $i; sleep 0.3; done; "
                             "echo end > /home/user/end", stream=True, detach=True)
        assert other.notes.get(timeout=60)
        del pending
    assert out(s.exec("cat end")) == "end\n"


def test_value_of_the_last_expression(py):
    cell = py.exec("x = [1, 2]\nx * 2")
    assert cell["value"] == "[1, 2, 1, 2]" and out(cell) == ""
    assert "value" not in py.exec("x = 1") and "value" not in py.exec("None")
