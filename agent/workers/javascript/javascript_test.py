"""The JavaScript worker, driven through its channels."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import FINAL, INTERACTIVE, STALE_SIGINT, VALUE_CUT, Worker, field, u32, worker


@pytest.fixture
def js():
    with worker('javascript') as process:
        yield process


def test_state_is_kept(js):
    assert js.run('const a = 10').exit == 0
    assert js.run('const a = 5; console.log(a)').out == b'5\n'
    assert js.run('console.log(a + 1)').out == b'6\n'
    js.run('let b = 1; class C { m() { return 2 } }\nfunction f() { return b }')
    assert js.run('let b = 4; class C { m() { return 3 } }\n[f(), new C().m()]').value == '[ 4, 3 ]'
    assert js.run('let b; b').value is None
    js.run('var [p, {q, ...r}] = [1, {q: 2, s: 3}]; for (var i = 0; i < 3; i++) { var inner = i }')
    assert js.run('[p, q, r, i, inner]').value == '[ 1, 2, { s: 3 }, 3, 2 ]'


def test_state_of_cells_that_await(js):
    js.run('const {x, ...y} = await {x: 1, z: 2}, w = 5; let v; class K {}\nfunction g() { return x }\n'
           'for (var i = 0; i < await 2; i++) { var inner = i }\nfor (var k of [7]) ;')
    assert js.run('[x, y, w, v, typeof K, g(), i, inner, k]').value == (
        "[ 1, { z: 2 }, 5, undefined, 'function', 1, 2, 1, 7 ]")
    assert js.run('const x = await 9\nx + 1').value == '10'
    assert js.run('for await (const n of [1, 2]) console.log(n)').out == b'1\n2\n'
    assert js.run("await 1\n'use'").value == "'use'"


def test_values(js):
    for code, value in [('1 + 1', '2'), ('undefined', None), ("'a'", "'a'"), ('{a: 1}', '{ a: 1 }'),
                        ('{}', '{}'), ('x = [1, null]', '[ 1, null ]'), ('if (1) { 5 }', '5'),
                        ('Promise.resolve(4)', 'Promise { 4 }'), ('let q = 5', None),
                        ('await Promise.resolve(4)', '4'), ('(a) => a', '[Function (anonymous)]'),
                        ('new Map([[1, 2]])', 'Map(1) { 1 => 2 }'), ('null', 'null')]:
        assert js.run(code).value == value, code
    long = js.run("({ [Symbol.for('nodejs.util.inspect.custom')]: () => '€'.repeat(600000) })")
    assert long.flags & VALUE_CUT and 0 <= (1 << 20) - len(long.value.encode()) < 3


@pytest.mark.parametrize('code, exit, err', [
    ("throw new Error('boom')", 1, b'Error: boom\n    at <cell 2>:1:7\n'),
    ("await 1\nthrow new Error('boom')", 1, b'Error: boom\n    at <cell 2>:2:7\n'),
    ("throw 'text'", 1, b"Uncaught 'text'\n"),
    ("Promise.reject(new Error('x')); console.log(1)", 1, b'Error: x\n    at <cell 2>:1:16\n'),
    ("setTimeout(() => { throw new Error('late') }, 5)", 1, b'Error: late\n'),
    ('const x: = 42;', 1, b'SyntaxError'),
    ('function broken(', 1, b'SyntaxError'),
    ('process.exit(3)', 3, b''),
    ('process.exit(256)', 0, b''),
    ('process.exit(-1)', 255, b''),
    ('process.exitCode = 4', 4, b''),
    ('setTimeout(() => process.exit(5), 5); setInterval(() => {}, 1)', 5, b''),
    ('try { process.exit(6) } catch {}', 6, b''),
    ('await 1; process.exit(7)', 7, b''),
    ('await new Promise(() => {})', 13, b'unsettled top-level await'),
    ('function f() { f() }\nf()', 1, b'RangeError: Maximum call stack'),
    ('({ [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("no") } })', 1, b'no'),
    ('process.stdout.end(); console.log = null; process.removeAllListeners()', 0, b''),
    ('const crypto = 1, process2 = 2, Buffer = null, JSON = 3', 0, b''),
    ('await 1; for (const x of [1]) { throw Object.assign(new Error("p"), {code: 9}) }', 1, b'code: 9'),
])
def test_session_survives(js, code, exit, err):
    js.run('keep = 5')
    result = js.run(code)
    assert result.exit == exit and err in result.err, result
    assert b'node:' not in result.err and b'worker.js' not in result.err, result
    if not err:
        assert result.err == b''
    again = js.run('process.stdout.write(keep + "\\n")')
    assert again.out == b'5\n' and again.exit == 0, again


def test_namespace_is_the_users_own(js):
    assert js.run('Object.keys(globalThis).filter((n) => !/^(global|clear|set|queue|structured|atob|'
                  'btoa|performance|fetch|crypto|navigator)/.test(n))').value == '[]'
    assert js.run('[typeof require, typeof module, process.argv.length]').value == (
        "[ 'function', 'object', 1 ]")
    assert js.run('require.main === module').value == 'true'
    assert js.run('this === globalThis').value == 'true'
    listed = js.run('require("fs").readdirSync("/proc/self/fd").map(Number).filter((n) => n < 3).length')
    assert listed.value == '3'
    child = js.run('require("child_process").execSync("ls /proc/self/fd").toString()')
    assert child.value == "'0\\n1\\n2\\n3\\n'"


def test_modules(js):
    (js.home / 'mine.js').write_text('module.exports = { answer: 42 }\n')
    (js.home / 'esm.mjs').write_text('export default 7; export const named = 8\n')
    assert js.run("require('./mine').answer").value == '42'
    assert js.run("(await import('./esm.mjs')).named").value == '8'
    assert js.run("import d, { named as n } from './esm.mjs'\nimport * as all from './esm.mjs'\n"
                  "import 'node:os'\n[d, n, all.default]").value == '[ 7, 8, 7 ]'
    assert js.run('[d, n]').value == '[ 7, 8 ]'
    assert js.run("const m = await import('node:path'); require('os'); m.join('a', 'b')").value == (
        "'a/b'")
    assert js.run("import('node:path').then((p) => console.log(p.sep))").out == b'/\n'
    assert js.run("const crypto = require('crypto'); crypto.randomBytes(3).length").value == '3'
    assert js.run('export const e = 3; export default function g() {}\ne').value == '3'


def test_typescript(js):
    if js.run('let t: number = 1').exit:
        pytest.skip('esbuild is not installed')
    js.run('interface F {n: string; q: number}\nconst mk = (n: string, q: number): F => ({n, q})')
    assert js.run("const f: F = mk('apple', 3); console.log(f.n + ':' + f.q)").out == b'apple:3\n'
    code = ('enum Color { Red, Green = 5 }\nfunction id<T>(x: T): T { return x }\n'
            'type A = string | number\nconst c = id<A>(Color.Green) as number\n'
            'console.log(c, Color[0])')
    assert js.run(code).out == b'5 Red\n'
    assert js.run('console.log(Color.Red, t); const u: number = await 4; u').value == '4'
    wrong = js.run('const x: = 42;')
    assert wrong.exit == 1 and b'SyntaxError' in wrong.err and b'const x: = 42;' in wrong.err


def test_output_is_exact(js):
    result = js.run("console.log('x'.repeat(600000)); process.stdout.write('€'.repeat(100000)); "
                    "console.error('e')")
    assert result.out == b'x' * 600000 + b'\n' + '€'.encode() * 100000 and result.err == b'e\n'
    assert js.run('process.stdout.write(Buffer.from([0, 255, 128])), undefined').out == b'\0\xff\x80'
    assert js.run('require("child_process").execSync("echo hi", {stdio: "inherit"}); 1').out == b'hi\n'


def test_work_of_the_cell_is_finished(js):
    assert js.run("async function main() { await new Promise((r) => setTimeout(r, 20)); "
                  "console.log('done') } main()").out == b'done\n'
    code = ("require('fs').readFile('/etc/hostname', () => setImmediate(() => console.log('read')));"
            "setTimeout(() => console.log('timer'), 10)")
    assert sorted(js.run(code).out.split()) == [b'read', b'timer']
    assert js.run("require('child_process').exec('echo sub', (e, out) => console.log(out))").out == (
        b'sub\n\n')


def test_stdin(js):
    assert js.run('process.stdin.read()').value == 'null'
    assert js.run('process.stdin.read()', null_stdin=True).value == 'null'
    assert js.run("require('fs').readFileSync(0, 'utf8')", stdin=b'all').value == "'all'"
    code = "let s = ''; for await (const c of process.stdin) s += c; s"
    assert js.run(code, stdin=b'one\ntwo').value == "'one\\ntwo'"
    assert js.run(code, stdin=b'again').value == "'again'"
    assert js.run(code, null_stdin=True).value == "''"


def test_waiting_is_told(js):
    running = js.start("const rl = require('readline').createInterface({input: process.stdin});"
                       "rl.once('line', (l) => { console.log('got', l); rl.close() })",
                       flags=INTERACTIVE)
    running.until(lambda result: result.waiting[-1:] == [1])
    running.input(b'it\n')
    result = running.finish()
    assert result.out == b'got it\n' and result.waiting[-1] == 0


@pytest.mark.parametrize('code', [
    "console.log('go'); while (true) {}", "await 1; console.log('go'); while (true) {}",
    "setTimeout(() => { console.log('go'); while (true) {} }, 1)",
    "console.log('go'); setInterval(() => {}, 1000)",
    "console.log('go'); await new Promise((r) => setTimeout(r, 60000))",
    "require('net').connect({ port: 9, host: '127.0.0.1' }).on('error', () => {}); "
    "setTimeout(() => console.log('go'), 5); setInterval(() => {}, 1000)",
    "process.stdin.on('data', () => {}); console.log('go')",
])
def test_interrupt(js, code):
    js.run('keep = 5')
    for _ in range(2):
        js.interrupt()
        running = js.start(code, flags=INTERACTIVE | STALE_SIGINT)
        running.until(lambda result: result.out == b'go\n')
        js.interrupt()
        result = running.finish()
        assert result.exit == 130 and result.interrupted, result
        js.interrupt()
        assert js.run('keep', flags=STALE_SIGINT).value == '5'
        # What is left in the loop does not hold the cells after it, which wait for their own.
        assert js.run("setTimeout(() => console.log('own'), 20)").out == b'own\n'


def test_prepare_leaves_nothing_of_itself(js):
    before = js.run('Object.getOwnPropertyNames(globalThis).length').value
    js.prepare()
    assert js.run('Object.getOwnPropertyNames(globalThis).length').value == before
    assert js.run('const a = 1; a + 1').value == '2'


@pytest.mark.parametrize('code', ['while (true) {}', 'setTimeout(() => {}, 60000)'])
def test_interrupt_before_the_cell_has_begun(js, code):
    js.interrupt()
    result = js.run(code)
    assert result.exit == 130 and result.interrupted, result
    assert js.run('1').value == '1'


def test_environment(js):
    assert js.run('process.env.A', env={'A': 'é\tb'}).value == repr('é\\tb').replace('\\\\', '\\')
    assert js.run('process.env.A').value is None
    js.settings(env={'B': '1'})
    assert js.run('process.env.B', env={'B': '2'}).value == "'2'"
    assert js.run('process.env.B').value == "'1'"


def test_settings_reseed(js):
    seen = []
    for entropy in (b'one', b'two', b'one'):
        js.settings(entropy=entropy * 8)
        seen.append(js.run('[Math.random(), Math.random()]').value)
    assert seen[0] != seen[1]
    many = js.run('let n = 0, lo = 1, hi = 0; for (let i = 0; i < 1e5; i++) { const r = Math.random(); '
                  'n += r; lo = Math.min(lo, r); hi = Math.max(hi, r) }\n'
                  'Math.abs(n / 1e5 - 0.5) < 0.01 && lo >= 0 && lo < 0.001 && hi < 1 && hi > 0.999')
    assert many.value == 'true'
    assert 'native code' in js.run('Math.random.toString()').value


ENDS = """const said = (n) => { console.log('before'); process.exit(n) }
const no = () => console.log('NO');
"""


@pytest.mark.parametrize('code, exit', [
    ("try { said(2) } catch { no() } finally { no() } no()", 2),
    ("async function main() {} main().then(() => said(0)).catch(() => { no(); process.exit(1) })", 0),
    ("for (let i = 0; i < 3; i++) try { said(4) } catch { no() }", 4),
    ("new Promise(() => said(5)).catch(no); no()", 5),
    ("(async () => { try { await 1; said(6) } finally { no() } })().then(no, no)", 6),
    ("function* g() { try { yield said(7) } finally { no() } } [...g()]; no()", 7),
    ("new Proxy({}, { get() { said(8) } }).x; no()", 8),
    ("Promise.resolve().then(no); process.nextTick(no); queueMicrotask(no); said(9)", 9),
    ("process.nextTick(() => { process.nextTick(no); queueMicrotask(no); said(10) })", 10),
    ("queueMicrotask(() => { queueMicrotask(no); process.nextTick(no); said(11) })", 11),
    ("setTimeout(() => { process.nextTick(no); said(12); no() }, 5)", 12),
    ("require('fs').readFile('/etc/hostname', () => { said(13); no() })", 13),
    ("new (require('events'))().on('x', () => said(14)).on('x', no).emit('x'); no()", 14),
    ("eval('said(15)'); no()", 15), ("new Function('f', 'f(16)')(said); no()", 16),
    ("try { require('vm').runInNewContext('try { f(17) } finally { g() }', { f: said, g: no }) }"
     " finally { no() }", 17),
    ("[3, 2].sort(() => said(18)); no()", 18), ("JSON.stringify({ toJSON() { said(19) } }); no()", 19),
    ("({ [Symbol.for('nodejs.util.inspect.custom')]() { said(20) } })", 20),
    ("throw { [Symbol.for('nodejs.util.inspect.custom')]() { said(21) } }", 21),
    ("Promise.reject(new Error('NO')); said(22)", 22), ("await 1; said(23); no()", 23),
    ("process.exitCode = 24; console.log('before'); process.exit()", 24),
    ("console.log('before'); try { process.reallyExit(25) } finally { no() }", 25),
    ("console.log('before'); try { process.abort() } finally { no() }", 134),
    ("console.log('before'); try { process.kill(process.pid) } finally { no() }", 143),
    ("console.log('before'); process.kill(process.pid, 'SIGHUP'); no()", 129),
    ("process.on('exit', () => said(27)); process.exit(26)", 27),
    ("process.on('exit', () => { console.log('before'); process.exitCode = 28 }); process.exit(1)", 28),
    ("const { Worker } = require('worker_threads')\n"
     "new Worker('process.exit(3)', { eval: true }).on('exit', (code) => said(26 + code))", 29),
])
def test_exit_ends_the_cell_at_once(js, code, exit):
    js.run('keep = 5')
    result = js.run(ENDS + code)
    assert (result.out, result.err, result.exit) == (b'before\n', b'', exit), result
    again = js.run('await 1; process.stdout.write(`${keep} ${process.listenerCount("exit")}\n`)')
    assert again.out == b'5 0\n' and again.exit == 0, again


@pytest.mark.parametrize('code, out, exit', [
    ("try { process.exit(3) } finally { console.log('NO') }", b'bye 3\n', 3),
    ("throw new Error('x')", b'bye 1\n', 1), ("1", b'bye 0\n', 0),
    ("await new Promise(() => {})", b'bye 13\n', 13),
    ("process.once('beforeExit', () => setTimeout(() => console.log('more'), 5)); console.log('main')",
     b'main\nmore\nbye 0\n', 0),
    ("process.on('exit', () => process.exit(5)); process.exit(4)", b'bye 4\n', 5),
    ("process.kill(process.pid)", b'', -15), ("process.abort()", b'', -6),
    ("setTimeout(() => { console.log('late'); process.exit(6) }, 5)", b'late\nbye 6\n', 6),
    ("require('net').createServer().listen(0, () => setTimeout(() => process.exit(7), 5))", b'bye 7\n', 7),
])
def test_a_final_cell_ends_as_node_does(code, out, exit):
    with worker('javascript') as js:
        result = js.run("process.on('exit', (code) => console.log('bye', code))\n" + code, flags=FINAL)
        assert result.gone and result.out == out and os.waitstatus_to_exitcode(js.wait(10)) == exit


def test_servers_do_not_hold_their_cell(js):
    assert js.run("const server = require('http').createServer((q, r) => r.end('hi'))"
                  ".listen(0, '127.0.0.1', () => console.log('up'))").out == b'up\n'
    ask = "(await (await fetch(`http://127.0.0.1:${server.address().port}`)).text())"
    assert js.run(ask).value == "'hi'"
    # What a cell started itself still holds it, with a server and with what another cell left.
    assert js.run("setTimeout(() => console.log('own'), 30), undefined").out == b'own\n'
    js.run("setInterval(() => {}, 5); setTimeout(() => {}, 10); throw 1")
    assert js.run("setTimeout(() => console.log('own'), 60), undefined").out == b'own\n'
    assert js.run("require('zlib').gzip('x'.repeat(1e6), () => console.log('packed'))").out == (
        b'packed\n')
    assert js.run("const left = require('timers/promises').setTimeout(60000); throw 1").exit == 1
    assert js.run("setTimeout(() => console.log('own'), 20), undefined").out == b'own\n'
    code = ("require('net').connect(server.address().port, '127.0.0.1', function () { this.write("
            "'GET / HTTP/1.0\\r\\n\\r\\n') }).on('end', () => console.log('end')).resume(), undefined")
    assert js.run(code).out == b'end\n'
    assert js.run("server.close(); 1").value == '1'


def test_stacks_are_the_users(js):
    code = ("function f() { const o = {}; Error.captureStackTrace(o); console.trace('t'); return o.stack }\n"
            "setTimeout(function late() { console.log(f()) }, 1)\nconsole.log(f())\n"
            "const where = (e, sites) => sites.map((s) => `${s.getFileName()}:${s.getLineNumber()}`)\n"
            "process.on('warning', (w) => console.log(w.stack)); process.emitWarning('w')\n"
            "await Promise.reject(new Error('r')).catch((e) => console.log(e.stack))\n"
            "Error.prepareStackTrace = where; console.log(new Error().stack.join())")
    result = js.run(code)
    assert result.exit == 0 and b'<cell 1>:3:13' in result.out and b'<cell 1>:7' in result.out
    for text in (result.out, result.err):
        assert b'<cell 1>:8' not in text
        assert b'worker' not in text.lower() and b'glassbell' not in text and b'node:vm' not in text


def test_final_runs_exit_listeners():
    with worker('javascript') as js:
        js.run("process.on('exit', (code) => console.log('bye', code))")
        result = js.run("console.log('main'); process.exitCode = 3", flags=FINAL)
        assert result.out == b'main\nbye 3\n' and result.exit == 3


def test_completion(js):
    js.run('const obj = { alpha: 1, get trap() { throw 1 }, beta() {} }; class Kl {}\n'
           'const px = new Proxy({}, { ownKeys() { throw 1 } }); var ünï = {k: 1}')
    assert js.complete('obj.al') == (4, 6, {'alpha': 'instance'})
    found = js.complete('obj.')[2]
    assert found['beta'] == 'function' and 'trap' in found
    assert js.complete('obj.trap.')[2] == {} and js.complete('px.')[2] == {}
    assert js.complete('x = ünï.k') == (8, 9, {'k': 'instance'})
    assert js.complete('awai')[2] == {'await': 'keyword'}
    assert js.complete('Kl')[2] == {'Kl': 'class'}
    assert 'floor' in js.complete('Math.fl')[2]
    assert js.complete("require('node:pat")[2].get('node:path') == 'module'
    (js.home / 'some.js').write_text('')
    assert js.complete("import('./so")[2] == {'some.js': 'path'}
    assert 'cwd' in js.complete('process.cw')[2]


def test_completeness(js):
    for code, status in [('1 + 1', 'complete'), ('if (x) {', 'incomplete'), ('`a', 'incomplete'),
                         ('foo(', 'incomplete'), ('/* a', 'incomplete'), ('1 +', 'incomplete'),
                         ('await x', 'complete'), ('}', 'invalid'), ('"a', 'invalid'),
                         ("import a from 'b'", 'complete')]:
        assert js.is_complete(code)[0] == status, code
    assert js.is_complete('if (x) {') == ('incomplete', '  ')


def test_questions_are_answered_while_a_cell_waits(js):
    running = js.start("waiting_for = 1; process.stdin.on('data', () => {}); console.log('go')",
                       flags=INTERACTIVE)
    running.until(lambda result: result.out == b'go\n')
    assert js.complete('waiting_')[2] == {'waiting_for': 'instance'}
    running.end_input()
    assert running.finish().exit == 0


def test_crash_ends_the_worker(js):
    assert js.run("console.log('before'); process.kill(process.pid, 'SIGKILL')").gone


@pytest.mark.parametrize('message', [
    u32(0) + b'\x63\0\0\0', u32(1 << 30) + b'\1\0\0\0', u32(4) + b'\1\0\0\0' + u32(1),
    u32(9) + b'\2\0\0\0' + u32(0) + u32(0) + b'x', u32(0) + b'\2\1\0\0',
    u32(13) + b'\1\0\0\0' + u32(1) + b'\0' + u32(0) + u32(0),
    u32(12) + b'\2\0\0\0' + u32(1 << 31) + field(b'abcd'),
])
def test_violation_ends_the_worker(js, message):
    js.cells.sendall(message)
    assert os.waitstatus_to_exitcode(js.wait(10)) == 70


def test_closed_channel_ends_the_worker():
    process = Worker('javascript')
    assert os.waitstatus_to_exitcode(process.close()) == 0
