# SPDX-License-Identifier: Apache-2.0
"""The three languages behave as their own best REPLs do."""

import pytest

from support import err, out


def test_javascript_modules_and_await(js):
    cell = js.exec("const p = await import('node:path'); const os = require('os');\n"
                   "console.log(p.basename('/a/b'), typeof os.cpus, await Promise.resolve(3))")
    assert out(cell) == "b function 3\n", err(cell)


def test_typescript(js):
    cell = js.exec("enum E { A = 1, B }\ntype T = { a: number };\nfunction id<X>(x: X): X { return x }\n"
                   "const t = { a: 2 } as T;\nconsole.log(E.B, id<number>(t.a))")
    assert out(cell) == "2 2\n", err(cell)
    bad = js.exec("const x: = 42;")
    assert bad["exit_code"] != 0 and "SyntaxError" in err(bad)


def test_unhandled_rejection(js):
    cell = js.exec("Promise.reject(new Error('x')); console.log(1)")
    assert cell["exit_code"] != 0 and "x" in err(cell) and out(cell) == "1\n"


def test_started_work_is_finished(js):
    cell = js.exec("async function main(){ await new Promise(r => setTimeout(r, 50)); console.log('done') } main()")
    assert out(cell) == "done\n"


def test_javascript_value_and_exit(js):
    assert js.exec("[1,2].map((x: number) => x*2)")["value"] == "[ 2, 4 ]"
    js.exec("globalThis.kept = 1")
    assert js.exec("process.exit(7)")["exit_code"] == 7
    assert js.exec("kept")["value"] == "1"
    failed = js.exec("throw new TypeError('bad')")
    assert failed["exit_code"] == 1 and "TypeError: bad" in err(failed)
    assert "glassbell" not in err(failed)


@pytest.mark.parametrize("code,expected", [
    ("a=(1 2 3); echo ${#a[@]} ${a[1]}", "3 2\n"),
    ("declare -A m; m[k]=v; echo ${m[k]}", "v\n"),
    ("cat <(echo hi)", "hi\n"),
    ("[[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}", "b\n"),
    ("cat <<< here", "here\n"),
    ("(trap 'echo bye' EXIT; echo hi)", "hi\nbye\n"),
    ("for i in {1..3}; do printf %s $i; done", "123"),
])
def test_bash_semantics(sh, code, expected):
    assert out(sh.exec(code)) == expected


def test_exit_trap_runs_at_the_end_of_a_run(client):
    cell = client.call("run", image="shell", code="trap 'echo bye' EXIT; echo hi")
    assert out(cell) == "hi\nbye\n"


def test_atexit_runs_at_the_end_of_a_run(client):
    cell = client.call("run", image="python", code="import atexit; atexit.register(print, 'bye'); print('hi')")
    assert out(cell) == "hi\nbye\n"


def test_shebangs(sh):
    assert out(sh.exec("#!/usr/bin/awk -f\nBEGIN { print 6*7 }")) == "42\n"
    assert sh.exec("#!/bin/sh\nexit 42")["exit_code"] == 42
    assert sh.exec("#!/no/such/interpreter\nx")["exit_code"] != 0


def test_byte_order_mark(py):
    assert out(py.exec("\ufeffprint('bom')")) == "bom\n"


def test_command_not_found(sh):
    assert sh.exec("nosuchcmd")["exit_code"] == 127


def test_unicode_names(py):
    assert out(py.exec("naïve = 'ü'; print(naïve)")) == "ü\n"


def test_top_level_await(py):
    cell = py.exec("import asyncio\nawait asyncio.sleep(0.01)\nr = await asyncio.gather(*[asyncio.sleep(0, i) for i in range(3)])\nr")
    assert cell["value"] == "[0, 1, 2]", err(cell)


def test_tools_are_there(shared):
    for image in ("python", "javascript", "shell"):
        cell = shared.get(image).exec(
            "for t in bash git curl jq grep sed gawk diff find tar gzip unzip file less make patch tree; do "
            "command -v $t >/dev/null || echo missing $t; done", mode="shell")
        assert out(cell) == "" and cell["exit_code"] == 0, (image, out(cell), err(cell))


def test_standard_library(py):
    cell = py.exec("import sqlite3, ssl, ctypes, json, csv, zlib, lzma, bz2, decimal, zoneinfo, xml.etree.ElementTree\n"
                   "import asyncio, multiprocessing, unittest, hashlib, tomllib\n"
                   "print(zoneinfo.ZoneInfo('Europe/Berlin').key)", timeout_ms=60000)
    assert out(cell) == "Europe/Berlin\n", err(cell)


def test_completion(py, js, sh):
    py.exec("import os; longname_one = {'key_a': 1}")
    reply = py.call("session.complete", code="longname_", cursor=9)
    assert [m["text"] for m in reply["matches"]] == ["longname_one"] and reply["start"] == 0
    reply = py.call("session.complete", code="os.path.joi", cursor=11)
    assert any(m["text"].endswith("join") for m in reply["matches"])
    reply = py.call("session.complete", code="ü = os.getc", cursor=11)
    assert any(m["text"].endswith("getcwd") for m in reply["matches"]) and reply["end"] == 11
    reply = js.call("session.complete", code="Math.flo", cursor=8)
    assert any(m["text"].endswith("floor") for m in reply["matches"])
    reply = sh.call("session.complete", code="ech", cursor=3)
    assert any(m["text"] == "echo" for m in reply["matches"])


def test_completion_while_a_cell_runs(fresh):
    s = fresh()
    s.exec("some_variable = 1")
    pending = s.send("import time\nfor i in range(2000):\n print(i); time.sleep(0.01)", stream=True)
    assert s.note()
    reply = s.call("session.complete", code="some_v", cursor=6)
    assert [m["text"] for m in reply["matches"]] == ["some_variable"] and not pending.done()
    s.call("session.interrupt")
    pending.wait()


@pytest.mark.parametrize("image,code,status", [
    ("python", "print(1)", "complete"), ("python", "def f():", "incomplete"),
    ("python", "x = (1,", "incomplete"), ("python", "1 +* 2", "invalid"),
    ("python", "def f():\n    return 1", "incomplete"), ("python", "'''a", "incomplete"),
    ("javascript", "1+1", "complete"), ("javascript", "function f() {", "incomplete"),
    ("javascript", "`abc", "incomplete"), ("javascript", "1 +* 2", "invalid"),
    ("shell", "echo hi", "complete"), ("shell", "if true; then", "incomplete"),
    ("shell", "echo 'abc", "incomplete"), ("shell", "cat <<E\nabc", "incomplete"),
])
def test_is_complete(shared, image, code, status):
    assert shared.get(image).call("session.is_complete", code=code)["status"] == status
