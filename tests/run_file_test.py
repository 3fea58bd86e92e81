# SPDX-License-Identifier: Apache-2.0
"""A program that is given as a file runs as a file and ends like one: compared with what the language's own
command makes of the same file, with the same image's interpreter."""

import json
import os
import subprocess
import threading

import pytest

from support import BINARY, DEADLINE, Failure, Session

COMMANDS = {"python": "python3", "javascript": "node", "shell": "bash"}
ENDINGS = {"python": ".py", "javascript": ".js", "shell": ".sh"}


# What a cell finds in a guest.
ENVIRONMENT = {"HOME": "/home/user", "LANG": "C.UTF-8", "LOGNAME": "user", "PYTHONDONTWRITEBYTECODE": "1",
               "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
               "SHELL": "/bin/bash", "SHLVL": "0", "TERM": "dumb", "USER": "user"}
# In a mount and a process namespace of its own: $1 is the image's root, $2 the home.
ENTER = """
mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
    mount --bind "$2" "$1/home/user" && mount -t tmpfs -o mode=1777 tmp "$1/tmp" || exit 125
enter=$1
shift 2
exec 3>&2 2>/dev/null  # what shells say of its end is not of its errors
/usr/sbin/chroot "$enter" /bin/bash -c 'cd && "$@" 2>&3 3>&-' sh "$@"
exit $?
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """What `python3 FILE ARGS` and its like do by themselves: real(language, name, content, *args),
    with the files @beside it, by name.

    The interpreter is the image's own, in the image's root, on this machine's processor.
    """
    roots = {}

    def run(language, name, content, *args, beside=None):
        if language not in roots:
            roots[language] = tmp_path_factory.mktemp("root") / "root"
            subprocess.run(["fsck.erofs", f"--extract={roots[language]}",
                            os.path.join(os.environ["GLASSBELL_IMAGES"], f"{language}.erofs")],
                           stdout=subprocess.DEVNULL, check=True)
        home = tmp_path_factory.mktemp("home")
        for path, text in {**(beside or {}), name: content}.items():
            (home / path).write_bytes(as_bytes(text))
        # node, which makes the path a whole one, would take it for an option even behind --.
        file = ["./" + name] if language == "javascript" else ["--", name] if name.startswith("-") else [name]
        done = subprocess.run(["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "--pid",
                               "--fork", "--kill-child", "sh", "-c", ENTER, "sh", roots[language], home,
                               COMMANDS[language], *file, *args],
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE,
                              check=False)
        assert done.returncode != 125, done.stderr
        return given(done)

    return run


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def given(done):
    return done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")


PYTHON_IDENTITY = """
import os, sys, inspect
print(sys.argv, __name__, __file__, __spec__, __doc__)
print(os.path.abspath(sys.argv[0]) == __file__, sys.path[0], sys.orig_argv[1:], os.getcwd())
print(sys.modules['__main__'].__file__, inspect.getsource(inspect.currentframe()).splitlines()[1])
print(sorted(name for name in globals() if name not in ('__loader__',)))
print(type(__loader__).__name__, __loader__.path, __annotations__ if '__annotations__' in globals() else None)
"""
NODE_IDENTITY = """
const path = require('path');
console.log(process.argv, __filename, __dirname, require.main === module, module.id, module.filename);
console.log(path.basename(process.argv[1]), this === module.exports, typeof exports, arguments.length, module.paths[0]);
console.log(require.resolve('./' + path.basename(__filename)), process.execArgv.length);
"""
SHELL_IDENTITY = """
echo "$0|$#|$*|${BASH_SOURCE[0]}|${BASH_SOURCE[@]}|${FUNCNAME[*]}|$LINENO"
for word in "$@"; do printf '[%s]' "$word"; done; echo
f() { echo "$1|${FUNCNAME[*]}|${BASH_SOURCE[*]}|${BASH_LINENO[*]}|$(caller)"; }
f x
[[ "${BASH_SOURCE[0]}" == "$0" ]] && echo main
dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); echo "$dir"; echo "$-"
(return 0 2>/dev/null) && echo sourced || echo executed
"""


@pytest.mark.parametrize("language, content, args", [
    ("python", PYTHON_IDENTITY, ["one", "two words", "-x", "--flag=1", "", "ü", "--"]),
    ("python", PYTHON_IDENTITY, []),
    ("javascript", NODE_IDENTITY, ["one", "two words", "-x", "--flag=1", "", "ü", "--"]),
    ("javascript", NODE_IDENTITY, []),
    ("shell", SHELL_IDENTITY, ["one", "two  words", "-x", "--flag=1", "", "ü", "--"]),
    ("shell", SHELL_IDENTITY, []),
])
def test_a_program_knows_itself(cli, real, tmp_path, language, content, args):
    name = "prog" + ENDINGS[language]
    (tmp_path / name).write_text(content)
    done = cli("run", tmp_path / name, "--", *args, status=None)
    assert given(done) == real(language, name, content, *args)


@pytest.mark.parametrize("name", ["a b.py", "-x.py", "ünï.py", "a'b\"c.py", "x.y.z.py", "$HOME.py", "a\nb.py",
                                  "a b.js", "-x.js", "ünï.cjs", "a b.sh", "ünï.bash"])
def test_odd_names(cli, real, tmp_path, name):
    language = next(language for language, ending in (("python", ".py"), ("javascript", "js"), ("shell", "sh"))
                    if name.endswith(ending))
    content = {"python": "import sys; print(sys.argv, __file__)\nraise ValueError(1)\n",
               "javascript": "console.log(process.argv, __filename)\n",
               "shell": 'printf "%s|" "$0" "$@" "$(basename -- "$0")"\nnosuchcommand\n'}[language]
    (tmp_path / name).write_text(content)
    assert given(cli("run", "--", name, "x", status=None, cwd=tmp_path)) == real(language, name, content, "x")


def test_a_name_of_any_bytes(cli, tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.py"
    with open(path, "wb") as file:
        file.write(b"import os, sys\nprint(ascii(sys.argv), ascii(__file__), os.fsencode(sys.argv[1]))\n"
                   b"print(os.listdir(b'.'))\n")
    done = subprocess.run([BINARY, "run", path, b"\xff\xfe", "plain"], env=cli.env, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE, check=True)
    assert done.stdout.decode() == ("['caf\\udce9.py', '\\udcff\\udcfe', 'plain'] '/home/user/caf\\udce9.py' "
                                    "b'\\xff\\xfe'\n[b'caf\\xe9.py']\n")


# ---- how it ends ----

ENDS = {
    "python": [
        "import atexit, threading, time\natexit.register(print, 'bye')\n"
        "threading.Thread(target=lambda: (time.sleep(.3), print('late'))).start()\nprint('main')\n",
        "import sys, atexit\natexit.register(print, 'bye')\nsys.exit(7)\n",
        "import sys; sys.exit('words')\n",
        "import sys; sys.exit(256 + 3)\n",
        "import sys; sys.exit(-1)\n",
        "import sys, threading\nthreading.Thread(target=lambda: sys.exit(5)).start()\n",
        "raise SystemExit\n",
        "class D:\n    def __del__(self): print('gone')\nd = D()\nprint('end')\n",
        "import os; print('a', flush=True); os._exit(9)\n",
        "import os, signal; print('x', flush=True); os.kill(os.getpid(), signal.SIGTERM)\n",
        "import weakref, atexit\nclass C: pass\nc = C()\nweakref.finalize(c, print, 'finalized')\n",
        "from concurrent.futures import ThreadPoolExecutor\nimport time\np = ThreadPoolExecutor()\n"
        "p.submit(lambda: (time.sleep(.2), print('worked')))\nprint('submitted')\n",
        "def f():\n    raise KeyError('x')\ntry:\n    f()\nexcept KeyError as e:\n    raise RuntimeError('y') from e\n",
        "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1/0\n",
        "import atexit\natexit.register(int, 'in hook')\nprint('main')\n",
        "x = (1,\n", "def f(:\n    pass\n", "  x = 1\n", "print('a')\nreturn 1\n", "await f()\n",
        "import sys\nsys.stdout.write('no newline')\n",
        "import asyncio\nasync def main():\n    await asyncio.sleep(.01)\n    print('done')\nasyncio.run(main())\n",
        "import multiprocessing as m\ndef f(x): return x * x\nif __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as p: print(p.map(f, [1, 2]))\n",
        "import warnings\nwarnings.warn('careful')\ndef g(): warnings.warn('up', stacklevel=2)\ng()\n",
        "import traceback\ndef f(): traceback.print_stack()\nf()\n",
        "import no_such_module\n", "print(undefined_name)\n", "1/0", "",
        # Whatever of sys is the program's to take away.
        "import sys; print('a'); del sys.stderr\n", "import sys; print('a'); del sys.stdout\n",
        "import sys; print('a'); del sys.stdout, sys.stderr, sys.stdin; sys.exit(3)\n",
        "import sys; print('a'); sys.stdout = sys.stderr = None; sys.exit(4)\n",
        "import sys; print('a'); del sys.__stdout__, sys.__stderr__, sys.__stdin__\n",
        "import sys; print('a'); del sys.path, sys.argv; sys.exit(5)\n",
        "import sys; print('a'); sys.path = None; sys.argv = 7\n",
        "import sys; print('a'); del sys.modules\n", "import sys; print('a'); sys.modules = {}\n",
        "import sys; print('a'); del sys.is_finalizing, sys.exc_info, sys.exit, sys.excepthook\n",
        "import sys; print('a'); sys.__dict__.clear()\n", "import sys; print('a'); sys.modules.clear()\n",
        "import sys; del sys.stdout; 1/0\n", "import sys; del sys.excepthook; 1/0\n",
        "import sys; sys.excepthook = None; 1/0\n",
        "import builtins; print('a'); del builtins.print, builtins.type, builtins.len, builtins.getattr\n",
        "import builtins; print('a'); builtins.__dict__.clear()\n",
        "import gc; gc.disable(); print('a')\n", "import gc; gc.freeze(); gc.callbacks.clear(); print('a')\n",
        "import atexit; atexit._clear(); print('a')\n", "import threading; threading._shutdown = None; print('a')\n",
    ],
    "shell": [
        "trap 'echo cleaned' EXIT; exit 3\n", "trap 'echo cleaned' EXIT\nfalse\n", "set -e\nfalse\necho no\n",
        "set -u\necho $nope\necho no\n", "kill -9 $$\n", "exit 300\n", "nosuchcommand a\n", "if then\n",
        "trap 'echo term; exit 9' TERM; kill $$; sleep 1; echo not\n", "exec echo replaced\n", "f() { return 4; }; f\n",
        "return 5\n", "echo a; (exit 3); echo $?\n", "cat <<EOF\nhere $((1 + 1))\nEOF\n", "echo 'unterminated\n",
        "printf 'no newline'", "sleep .2 & wait; echo waited\n", "set -o pipefail; false | true\n", "\r\n", "",
        "shopt -s expand_aliases; alias hi='echo hello'\nhi\n",
    ],
    "javascript": [
        "process.on('exit', (c) => console.log('exit', c)); console.log('main')\n",
        "process.on('exit', (c) => { process.exitCode = 9 }); process.exit(2)\n",
        "process.on('beforeExit', () => { if (!globalThis.done) { globalThis.done = 1; "
        "setTimeout(() => console.log('more'), 20) } }); console.log('main')\n",
        "process.exitCode = 4\n", "process.exit()\n", "setTimeout(() => { console.log('t'); process.exit(6) }, 20)\n",
        "setTimeout(() => console.log('late'), 50); console.log('main')\n", "process.abort\n",
        "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 5000)\n", "this.x = 1; console.log(module.exports)\n",
        "try { process.exit(2) } catch { console.log('caught') } finally { console.log('finally') }\n",
        "process.on('uncaughtException', (e) => console.log('handled', e.message)); throw new Error('x')\n",
        "return console.log('top-level return')\n", "console.log(typeof require('fs').readFileSync)\n",
        "#!/usr/bin/env node\nconsole.log('with a first line')\n", "process.stdout.write('no newline')", "",
        "exports.a = 1; console.log(require('./prog.js') === module.exports)\n", "\ufeffconsole.log('bom')\n",
    ],
}


@pytest.mark.parametrize("language, content", [(language, content) for language in ENDS for content in ENDS[language]])
def test_a_program_ends_as_a_process_does(cli, real, tmp_path, language, content):
    name = "prog" + ENDINGS[language]
    (tmp_path / name).write_text(content)
    done = cli("run", tmp_path / name, status=None)
    expected = real(language, name, content)
    status = expected[0]
    assert given(done) == (status, *expected[1:])


@pytest.mark.parametrize("content, said", [
    ("throw new Error('x')\n", ["Error: x", "prog.js:1"]),
    ("const x = ;\n", ["prog.js:1", "SyntaxError: Unexpected token ';'"]),
    ("\nfunction f() { null.x }\nf()\n", ["TypeError: Cannot read properties of null", "prog.js:2", "prog.js:3"]),
    ("Promise.reject(new Error('later'))\n", ["Error: later", "prog.js:1"]),
    ("throw 5\n", ["5"]),
    ("require('./nothing')\n", ["Cannot find module './nothing'", "prog.js"]),
])
def test_a_javascript_program_that_fails_says_where(cli, real, tmp_path, content, said):
    (tmp_path / "prog.js").write_text(content)
    done = cli("run", tmp_path / "prog.js", status=1)
    assert done.stdout == b"" and real("javascript", "prog.js", content)[0] == 1
    for part in said:
        assert part in done.stderr.decode(), done.stderr
    assert b"/run/glassbell" not in done.stderr


def test_what_is_left_in_open_files_is_written_before_they_are_fetched(cli, tmp_path):
    (tmp_path / "a.py").write_text("import threading, time\nf = open('out', 'w')\nf.write('kept')\n"
                                   "def late():\n    time.sleep(.3); open('late', 'w').write('late')\n"
                                   "threading.Thread(target=late).start()\n")
    cli("run", "--download", f"out:{tmp_path}/out", "--download", f"late:{tmp_path}/late", tmp_path / "a.py")
    assert (tmp_path / "out").read_text() == "kept" and (tmp_path / "late").read_text() == "late"
    (tmp_path / "b.js").write_text("process.on('exit', () => require('fs').writeFileSync('out', 'at exit'))\n")
    cli("run", "--download", f"out:{tmp_path}/out", tmp_path / "b.js")
    assert (tmp_path / "out").read_text() == "at exit"
    (tmp_path / "c.sh").write_text("trap 'echo trapped >out' EXIT\n")
    cli("run", "--download", f"out:{tmp_path}/out", tmp_path / "c.sh")
    assert (tmp_path / "out").read_text() == "trapped\n"


def test_code_ends_like_a_process_too(cli):
    assert cli("run", "-c", "import atexit; atexit.register(print, 'bye'); import sys; sys.exit(3)",
               status=3).stdout == b"bye\n"
    assert cli("run", "-l", "shell", "-c", "trap 'echo cleaned' EXIT; exit 3", status=3).stdout == b"cleaned\n"
    assert cli("run", "-l", "js", "-c", "process.on('exit', (c) => console.log('exit', c)); process.exitCode = 2",
               status=2).stdout == b"exit 2\n"


def test_a_time_limit_holds_for_what_comes_at_the_end(cli):
    done = cli("run", "-t", "1", "-c", "import atexit, time\natexit.register(lambda: time.sleep(60))\nprint('main')",
               status=124)
    assert done.stdout == b"main\n" and b"the time is up" in done.stderr


# ---- what lies beside it ----


def test_imports_from_its_own_folder(cli, tmp_path):
    (tmp_path / "lib.py").write_text("name = __name__, __file__\n")
    (tmp_path / "main.py").write_text("import lib; print(*lib.name)\n")
    assert cli.out("run", tmp_path / "main.py", "--upload", tmp_path / "lib.py") == "lib /home/user/lib.py\n"
    (tmp_path / "lib.js").write_text("exports.name = __filename; exports.main = require.main.filename\n")
    (tmp_path / "main.js").write_text("const { name, main } = require('./lib'); console.log(name, main)\n")
    assert cli.out("run", tmp_path / "main.js", "--upload", tmp_path / "lib.js") == \
        "/home/user/lib.js /home/user/main.js\n"
    (tmp_path / "lib.mjs").write_text("export const where = import.meta.url; export default 7\n")
    (tmp_path / "main.mjs").write_text("import seven, { where } from './lib.mjs'; console.log(seven, where)\n"
                                       "console.log((await import('./lib.mjs')).default)\n")
    assert cli.out("run", tmp_path / "main.mjs", "--upload", tmp_path / "lib.mjs") == \
        "7 file:///home/user/lib.mjs\n7\n"
    (tmp_path / "lib.sh").write_text("greet() { echo hello from ${BASH_SOURCE[0]}; }\n")
    (tmp_path / "main.sh").write_text('#!/bin/bash\ncd "$(dirname "$0")" && . ./lib.sh && greet\n')
    assert cli.out("run", tmp_path / "main.sh", "--upload", tmp_path / "lib.sh") == "hello from ./lib.sh\n"


def test_a_project_is_brought_in_and_its_main_runs_in_it(cli, tmp_path):
    (tmp_path / "proj/pkg").mkdir(parents=True)
    (tmp_path / "proj/pkg/__init__.py").write_text("value = 42\n")
    (tmp_path / "proj/main.py").write_text("from pkg import value; print(value, __file__)\n")
    assert cli.out("run", "--upload", f"{tmp_path}/proj:.", tmp_path / "proj/main.py") == "42 /home/user/main.py\n"


def test_one_name_is_one_file(cli, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "a.py").write_text("print('program')\n")
    (tmp_path / "other/a.py").write_text("print('other')\n")
    done = cli("run", "--upload", tmp_path / "other/a.py", tmp_path / "a.py", status=2)
    assert b"would both be a.py" in done.stderr and b"usage" not in done.stderr
    assert cli.out("run", "--upload", tmp_path / "a.py", tmp_path / "a.py") == "program\n"


@pytest.mark.parametrize("files, main", [
    ({"m.mjs": "console.log(import.meta.url, import.meta.filename, import.meta.dirname, typeof require, this)"},
     "m.mjs"),
    ({"m.js": "import fs from 'fs'; console.log(typeof fs.readFileSync, import.meta.url)",
      "package.json": '{"type": "module"}'}, "m.js"),
    ({"m.cjs": "console.log(typeof require, __filename, require.main === module)",
      "package.json": '{"type": "module"}'}, "m.cjs"),
    ({"m.js": "console.log(typeof require, __filename)", "package.json": '{"type": "commonjs"}'}, "m.js"),
    ({"m.mjs": "console.log(await Promise.resolve(5)); process.exitCode = 3"}, "m.mjs"),
    ({"m.mjs": "import { join } from 'node:path'; console.log(join('a', 'b'), process.argv.length)"}, "m.mjs"),
    ({"m.mjs": "await new Promise(() => {})"}, "m.mjs"),
    ({"m": "console.log(typeof require, __filename)"}, "m"),
])
def test_modules_as_node_decides(cli, real, tmp_path, files, main):
    for name, content in files.items():
        (tmp_path / name).write_text(content + "\n")
    beside = {name: content + "\n" for name, content in files.items() if name != main}
    uploads = [word for name in beside for word in ("--upload", tmp_path / name)]
    done = cli("run", "-l", "js", *uploads, tmp_path / main, status=None)
    assert given(done)[:2] == real("javascript", main, files[main] + "\n", beside=beside)[:2]


def test_typescript_as_a_program(cli, tmp_path):
    (tmp_path / "a.ts").write_text("interface A { n: number }\nconst a: A = { n: 2 }\n\n"
                                   "console.log(a.n, __filename, process.argv.slice(2), require.main === module)\n"
                                   "function boom(r: A): never {\n  throw new Error('id ' + r.n)\n}\nboom(a)\n")
    done = cli("run", tmp_path / "a.ts", "x", status=1)
    assert done.stdout == b"2 /home/user/a.ts [ 'x' ] true\n"
    assert b"/home/user/a.ts:6:9" in done.stderr
    (tmp_path / "lib.ts").write_text("export const two: number = 2\n")
    (tmp_path / "b.mts").write_text("import { two } from './lib.ts'\nimport fs from 'node:fs'\n"
                                    "const x: number = two\nconsole.log(x, typeof fs.readFileSync, import.meta.url)\n")
    done = cli("run", tmp_path / "b.mts", "--upload", tmp_path / "lib.ts")
    assert done.stdout == b"2 function file:///home/user/b.mts\n"
    (tmp_path / "c.cts").write_text("const l = require('./lib.ts'); const y: number = l.two\n"
                                    "console.log(y, __filename)\n")
    assert cli.out("run", tmp_path / "c.cts", "--upload", tmp_path / "lib.ts") == "2 /home/user/c.cts\n"


@pytest.mark.parametrize("name", ["e.ts", "e.mts", "e.cts"])
@pytest.mark.parametrize("main", [True, False])
def test_a_typescript_file_that_cannot_be_read_says_where(cli, tmp_path, name, main):
    (tmp_path / name).write_text("interface A { n: number }\n\nconst a: A = { n: 2 }\n\nconst b: number = = 3\n")
    (tmp_path / "main.mts").write_text(f"import './{name}'\n")
    done = cli("run", *([] if main else ["--upload", tmp_path / name]), tmp_path / (name if main else "main.mts"),
               status=1)
    lines = done.stderr.decode().splitlines()
    at = lines.index(f"/home/user/{name}:5")
    assert lines[at + 1:at + 4] == ["const b: number = = 3", " " * 18 + "^", ""], done.stderr
    assert lines[at + 4].startswith("SyntaxError: ") and done.stdout == b""
    assert all(line.startswith("    at node:") or line.startswith("    at ") and "(node:" in line
               for line in lines[at + 5:] if line and not line.startswith("Node.js v")), done.stderr


@pytest.mark.parametrize("name", ["u.ts", "u.mts", "u.cts"])
@pytest.mark.parametrize("code, column", [
    ("  throw new TypeError('boom ' + a.n);", 8), ("  (undefined as unknown as A).n;", 30),
    ("\tawait_(a); async function await_(x: A): Promise<void> { throw new TypeError('boom'); }", 63),
    ("  setTimeout(() => { throw Object.assign(new TypeError('boom'), { code: 7 }); });", 41),
])
def test_an_error_of_a_typescript_file_stands_where_it_was_written(cli, tmp_path, name, code, column):
    (tmp_path / name).write_text(f"interface A {{\n  n: number\n}}\nconst a: A = {{ n: 2 }}; {{\n{code}\n}}\n"
                                 "process.on('exit', (code) => console.log('exit', code));\n")
    done = cli("run", tmp_path / name, status=1)
    lines = done.stderr.decode().splitlines()
    assert lines[0] == f"/home/user/{name}:5" and lines[1] == code, done.stderr
    assert lines[2] == "".join(c if c == "\t" else " " for c in code[:column]) + "^"
    assert lines[3] == "" and lines[4].startswith("TypeError: ") and f"{name}:5:{column + 1}" in lines[5]
    assert lines[-1].startswith("Node.js v") and "glassbell" not in done.stderr.decode()


# ---- bytes ----


SOURCES = [
    ("python", b"# -*- coding: latin-1 -*-\nprint(ascii('Jos\xe9'))\n"),
    ("python", b"#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nprint(ascii('\x80'))\n"),
    ("python", b"\xef\xbb\xbfprint(ascii('\xc3\xa9'))\n"),
    ("python", b"print(ascii('Jos\xe9'))\n"),
    ("python", b"x = 1\n\n# caf\xe9\n"),
    ("python", b"# -*- coding: no-such -*-\nprint(1)\n"),
    ("python", b"\xef\xbb\xbf# -*- coding: latin-1 -*-\nprint(1)\n"),
    ("python", b"print(1)\r\nif 1:\r\n    print(2)\r\n"),
    ("python", b"print(1)\rprint(2)\r"),
    ("python", b"print('a\0b')\n"),
    ("python", b"print('no newline')"),
    ("python", b"if 1:\n\tprint('tab')\n        print('spaces')\n"),
    ("python", b"\x0cprint('form feed')\n"),
    ("python", b"x = '" + b"a" * (1 << 20) + b"'\nprint(len(x))\n"),
    ("python", b"# only a comment"),
    ("javascript", b"\xef\xbb\xbfconsole.log('\xc3\xa9')\r\nconsole.log(2)\r\n"),
    ("javascript", b"console.log('caf\xe9'.length, 'caf\xe9'.charCodeAt(3))\n"),
    ("javascript", b"// only a comment"),
    ("javascript", b"console.log('" + b"a" * (1 << 20) + b"'.length)"),
    ("shell", b"printf '%s' 'caf\xe9' | od -An -tx1\n"),
    ("shell", b"x=$'\\xff'; printf %s \"$x\" | od -An -tx1; echo '\xff\xfe' | od -An -tx1\n"),
    ("shell", b"echo a\r\necho b\r\n"),
    ("shell", b"echo a\necho 'b\0c'\n"),
    ("shell", b"echo \0 a\n"),
    ("shell", b"# only a comment"),
    ("shell", b"echo " + b"a" * (1 << 20) + b" | wc -c\n"),
]


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_sources_are_decoded_by_their_language(cli, real, tmp_path, number):
    language, content = SOURCES[number]
    name = "prog" + ENDINGS[language]
    (tmp_path / name).write_bytes(content)
    assert given(cli("run", tmp_path / name, status=None)) == real(language, name, content)


# ---- which language ----


@pytest.mark.parametrize("first, rest, out", [
    (b"#!/usr/bin/env python3", b"import sys; print(sys.argv, __file__)", "['tool', 'x'] /home/user/tool\n"),
    (b"#!/usr/bin/env -S node --no-warnings", b"console.log(process.argv.slice(1))", "[ '/home/user/tool', 'x' ]\n"),
    (b"#!/bin/bash -eu", b'echo "$0" "$@" "$-"; false; echo no', None),
    (b"#!/bin/sh", b'echo "$0" "$@" "${BASH_VERSION-no bash}"', "tool x no bash\n"),
])
def test_the_first_line_is_honoured(cli, tmp_path, first, rest, out):
    (tmp_path / "tool").write_bytes(first + b"\n" + rest + b"\n")
    done = cli("run", tmp_path / "tool", "x", status=None)
    if out is None:
        assert done.returncode == 1 and done.stdout.startswith(b"tool x ") and b"e" in done.stdout.split()[2]
    else:
        assert (done.returncode, done.stdout.decode()) == (0, out), done.stderr


@pytest.mark.parametrize("name, content, said", [
    ("x.rb", "puts 1", "-l javascript, python or shell"), ("a.tsx", "<a/>", "-l javascript"),
    ("a.jsx", "<a/>", "-l javascript"), ("README", "hello", "-l javascript, python or shell"), ("x", "#!/usr/bin/perl\n", "perl"),
    ("d", "#!/usr/bin/env -S deno run\n", "deno"), ("data.json", "{}", ".json"), ("n.ipynb", "{}", "not a notebook"),
    ("m.ipynb", '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "julia"}}}', "julia"),
])
def test_what_tells_no_language_is_refused(cli, client, tmp_path, name, content, said):
    opened = client.call("stats")["opened"]
    (tmp_path / name).write_text(content)
    done = cli("run", name, status=2, cwd=tmp_path)
    assert name in done.stderr.decode() and said in done.stderr.decode() and done.stdout == b""
    assert len(done.stderr.splitlines()) == 1 and client.call("stats")["opened"] == opened


@pytest.mark.parametrize("arguments, said", [
    (["--image", "python", "-l", "shell", "-c", "echo hi"], "-c is shell, and the image python runs Python"),
    (["--image", "js", "a.py"], "a.py is Python, and the image js runs JavaScript"),
    (["--image", "python", "b.sh"], "b.sh is shell"),
    (["nothing.py"], "nothing.py"), (["."], "."),
])
def test_what_does_not_fit_is_said_before_anything_runs(cli, client, tmp_path, arguments, said):
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.sh").write_text("")
    opened = client.call("stats")["opened"]
    done = cli("run", *arguments, status=2, cwd=tmp_path)
    assert said in done.stderr.decode() and b"usage" not in done.stderr
    assert client.call("stats")["opened"] == opened


@pytest.mark.parametrize("arguments", [["-m", "8"], ["-m", "abc"], ["-t", "abc"], ["-t", "0"], ["--max-output", "0"]])
def test_wrong_numbers_are_wrong_use(cli, arguments):
    assert cli("run", *arguments, "-c", "1", status=2).stdout == b""


def test_code_and_standard_input_take_arguments(cli):
    show = "import sys; print(sys.argv)"
    assert cli.out("run", "-c", show, "a", "-b") == "['-c', 'a', '-b']\n"
    assert cli.out("run", "-c", show) == "['-c']\n"
    assert cli.out("run", "-", "a", "-b", input=show.encode()) == "['-', 'a', '-b']\n"
    assert cli.out("run", "-l", "shell", "-c", 'echo "$0|$*"', "a", "b") == "a|b\n"
    assert cli.out("run", "-l", "shell", "-", "a", "b", input=b'echo "$0|$*"') == "bash|a b\n"
    assert cli.out("run", "-l", "js", "-c", "console.log(process.argv.slice(1))", "a", "-b") == "[ 'a', '-b' ]\n"
    latin = b"# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n"
    assert cli.out("run", "-", input=latin) == "'\\xe9'\n"
    both = latin.replace(b"\xe9", "é".encode())  # UTF-8 by its bytes, and Latin-1 by what it says of itself
    assert cli.out("run", "-", input=both) == "'\\xc3\\xa9'\n"
    assert cli.out("run", "-c", both.decode()) == "'\\xe9'\n"
    assert cli.out("run", "-", input=b"#!/bin/bash\necho ${BASH_VERSION:0:1}\n") == "5\n"


@pytest.mark.parametrize("name, content, told", [
    ("a.py", b"print(__file__)\n#" + b"x" * 200000 + b"\nprint('end')\n", b"/home/user/a.py\nend\n"),
    ("b.sh", b"echo $0\n#" + b"x" * 200000 + b"\necho end\n", b"b.sh\nend\n")])
def test_a_program_from_a_fifo(cli, tmp_path, name, content, told):
    """`glassbell run <(command)`: opened once, and read to its end."""
    os.mkfifo(tmp_path / name)
    feeder = threading.Thread(target=lambda: (tmp_path / name).write_bytes(content), daemon=True)
    feeder.start()
    assert cli("run", name, cwd=tmp_path).stdout == told
    feeder.join(60)
    assert not feeder.is_alive()


def test_several_programs(cli, tmp_path):
    (tmp_path / "a.py").write_text("print('python')\n")
    (tmp_path / "b.js").write_text("console.log('javascript')\n")
    (tmp_path / "c.sh").write_text("echo shell; exit 4\n")
    done = cli("run", "-f", "a.py", "-f", "b.js", "-f", "c.sh", status=4, cwd=tmp_path)
    assert done.stdout == b"python\njavascript\nshell\n"
    done = cli("run", "-f", "a.py", "-f", "b.js", "c.sh", status=2, cwd=tmp_path)
    assert b"c.sh is an argument" in done.stderr
    assert cli.out("run", "a.py", "b.js", cwd=tmp_path) == "python\n"


def test_an_empty_file_is_an_empty_program(cli, tmp_path):
    for name in ("a.py", "a.js", "a.mjs", "a.ts", "a.sh"):
        (tmp_path / name).write_bytes(b"")
        done = cli("run", tmp_path / name)
        assert (done.stdout, done.stderr) == (b"", b"")
    assert cli("run", "-c", "").stdout == b"" and cli("run", "-", input=b" \n").stdout == b""


# ---- in a session ----


def test_a_file_in_a_session(cli, client, tmp_path):
    session = Session(client, "python")
    try:
        cli("exec", session.id, "-c", "y = 5")
        (tmp_path / "load.py").write_text("import sys\nx = y + 1\nprint(sys.argv, __file__, __name__)\n"
                                          "def where(): return __file__\n")
        assert cli.out("exec", session.id, tmp_path / "load.py", "a", "--b") == \
            "['load.py', 'a', '--b'] /home/user/load.py __main__\n"
        assert cli.out("exec", session.id, "-c", "import sys; print(x, where(), sys.argv)") == \
            "6 /home/user/load.py ['']\n"
        (tmp_path / "z.sh").write_text('echo "$0|$1|${BASH_SOURCE[0]}"; kept=1\n')
        assert cli.out("exec", session.id, tmp_path / "z.sh", "a") == "z.sh|a|z.sh\n"
        assert cli.out("exec", session.id, "-l", "shell", "-c", "echo $kept $0 $#") == "1 bash 0\n"
        (tmp_path / "a.js").write_text("1\n")
        done = cli("exec", session.id, tmp_path / "a.js", status=2)
        assert b"a.js is JavaScript, and the session runs Python" in done.stderr
        (tmp_path / "bad.py").write_text("\n\n1/0\n")
        done = cli("exec", session.id, tmp_path / "bad.py", status=1)
        assert b'File "/home/user/bad.py", line 3, in <module>' in done.stderr
        assert cli.out("exec", session.id, "-c", "print(x)") == "6\n"
    finally:
        session.close()


def test_a_javascript_file_in_a_session(cli, client, tmp_path):
    session = Session(client, "javascript")
    try:
        (tmp_path / "lib.js").write_text("exports.v = 3\n")
        (tmp_path / "a.js").write_text("const { v } = require('./lib'); let x = v + 1\n"
                                       "console.log(__filename, __dirname, process.argv.slice(1))\n")
        done = cli("exec", session.id, "--upload", tmp_path / "lib.js", tmp_path / "a.js", "q")
        assert done.stdout == b"/home/user/a.js /home/user [ '/home/user/a.js', 'q' ]\n"
        assert cli.out("exec", session.id, "-c", "console.log(x, process.argv.length)") == "4 1\n"
        (tmp_path / "b.mjs").write_text("import path from 'node:path'\nexport const y = x + 1\n"
                                        "console.log(import.meta.url, import.meta.filename, path.sep)\n")
        assert cli.out("exec", session.id, tmp_path / "b.mjs") == "file:///home/user/b.mjs /home/user/b.mjs /\n"
        assert cli.out("exec", session.id, "-c", "console.log(y)") == "5\n"
    finally:
        session.close()


def test_the_protocol_runs_files(client, fresh):
    session = fresh()
    session.write("there.py", b"import sys; print('there', sys.argv)")
    cell = session.exec(None, file="there.py", args=["x"])
    assert cell["stdout"] == "there ['there.py', 'x']\n" and cell["files"] == []
    cell = session.exec("import sys; print(__file__, sys.path[0])", file="deep/er/a.py")
    assert cell["stdout"] == "/home/user/deep/er/a.py /home/user/deep/er\n" and cell["files"] == []
    cell = session.exec(None, file="missing.py")
    assert cell["exit_code"] == 2 and "can't open file '/home/user/missing.py'" in cell["stderr"]
    session.exec("import os; os.chmod('/home/user', 0o500)")
    cell = session.exec("1", file="new.py")
    assert cell["exit_code"] is None and "put the program" in cell["note"] and cell["state_lost"] is False
    session.exec("os.chmod('/home/user', 0o700)")
    cell = session.exec("import atexit; atexit.register(print, 'bye')", final=True)
    assert cell["stdout"] == "bye\n" and cell["state_lost"] is False
    with pytest.raises(Failure) as failure:
        session.exec("1")
    assert failure.value.kind == "policy" and failure.value.dispatched is False
    assert session.read("there.py").startswith(b"import sys")


# ---- notebooks ----


def notebook(*sources, language="python"):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {
        "name": "python3", "language": language, "display_name": "x"}}, "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# title"]}] + [
                {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None,
                 "source": source} for source in sources]})


def test_a_notebook_runs_cell_by_cell(cli, tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(notebook(["x = 41\n", "x"], "", "print('two', x + 1)", "import atexit; atexit.register(print, 'bye')"))
    assert cli.out("run", path) == "41\ntwo 42\n<built-in function print>\nbye\n"
    path.write_text(notebook("print(1)", "1/0", "print('never')"))
    done = cli("run", path, status=1)
    assert done.stdout == b"1\n" and b"ZeroDivisionError" in done.stderr
    cells = json.loads(cli("run", "--json", path, status=1).stdout)
    assert [cell["exit_code"] for cell in cells] == [0, 1]
    path.write_text(notebook("let a = [1, 2]", "a.map((v) => v * 2)", language="javascript"))
    assert cli.out("run", path) == "[ 2, 4 ]\n"
    path.write_text(notebook())
    assert cli.out("run", path) == "" and json.loads(cli.out("run", "--json", path)) == []
    assert b"takes none" in cli("run", path, "x", status=2).stderr


# ---- standard input ----


def test_input_that_nobody_gives_is_told(cli, tmp_path):
    (tmp_path / "ask.py").write_text("print('hello', input('name? '))\n")
    done = cli("run", tmp_path / "ask.py", status=1, input=b"you\n")
    assert b"EOFError" in done.stderr and b"--stdin gives it ours" in done.stderr
    assert cli.out("run", "--stdin", tmp_path / "ask.py", input=b"you\n") == "name? hello you\n"
    done = cli("run", "--stdin", tmp_path / "ask.py", status=1)
    assert b"--stdin gives" not in done.stderr


def test_a_terminal_is_read(cli, tmp_path):
    (tmp_path / "ask.py").write_text("print('hello', input('name? '))\n")
    ours, theirs = os.openpty()
    process = cli.start("run", tmp_path / "ask.py", stdin=theirs)
    os.close(theirs)
    assert process.stdout.read(6) == b"name? "
    os.write(ours, b"you\n")
    assert process.stdout.read() == b"hello you\n" and process.wait(DEADLINE) == 0
    os.close(ours)
