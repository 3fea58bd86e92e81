# SPDX-License-Identifier: Apache-2.0
"""Nothing that cells do to the language's own and to node's objects harms the worker (realm.js)."""

import pytest

# Where the language and node keep what the worker, and the node below it, might ask.
HOLDERS = [
    'Array', 'Array.prototype', 'ArrayBuffer.prototype', 'Boolean.prototype', 'Buffer', 'Buffer.prototype',
    'DataView.prototype', 'Date', 'Error', 'Error.prototype', 'Function.prototype', 'JSON', 'Map.prototype',
    'Math', 'Number', 'Number.prototype', 'Object', 'Object.prototype', 'Promise', 'Promise.prototype', 'Reflect',
    'RegExp.prototype', 'Set.prototype', 'String', 'String.prototype', 'Symbol', 'SyntaxError.prototype',
    'Uint8Array.prototype', 'WeakMap.prototype', 'WeakSet.prototype',
    'Object.getPrototypeOf(Uint8Array.prototype)', 'Object.getPrototypeOf([][Symbol.iterator]())',
    'Object.getPrototypeOf(function* () {}.prototype)', 'Object.getPrototypeOf(new Map().entries())',
    'process', 'require("events").prototype', 'require("fs")', 'require("module")', 'require("path")',
    'require("util")', 'require("util").types', 'require("vm")', 'require("vm").Script.prototype', 'globalThis',
]
# What node's own prompt cannot do without, either, or what the checks below are made with.
NEEDED = {
    'Array.prototype': {'pop'},
    'Function.prototype': {'Symbol(Symbol.hasInstance)'}, 'Object.prototype': {'__proto__'},
    'globalThis': {'RangeError', 'console', 'give', 'globalThis', 'setTimeout'}, 'Promise.prototype': {'constructor'}, 'process': {'binding'},
    'require("module")': {'prototype'},
}
BREAK = """{
const holder = %s, names = Reflect.ownKeys(holder), { defineProperty } = Object;
const needed = %s.map(String), { includes } = Array.prototype, { apply, getOwnPropertyDescriptor } = Reflect;
let at = 0, name, before;
globalThis.give = () => {
  if (before !== undefined) defineProperty(holder, name, before);
  before = undefined;
  while (at < names.length) {
    name = names[at++];
    const found = getOwnPropertyDescriptor(holder, name);
    if (!found.configurable || found.get || typeof found.value !== 'function') continue;
    const called = typeof name === 'symbol' ? `Symbol(${name.description})` : name;
    if (apply(includes, needed, [called])) continue;
    before = found;
    defineProperty(holder, name, { value: null, writable: true, configurable: true, enumerable: true });
    return called;
  }
};
}"""


@pytest.mark.parametrize('holder', HOLDERS)
def test_no_name_of_the_users_harms_the_worker(js, holder):
    """Each function of the holder is taken away in turn: cells run as before."""
    assert js.run(BREAK % (holder, sorted(NEEDED.get(holder, ())))).exit == 0
    count = 0
    while (name := js.run('give()').value) is not None:
        count += 1
        assert js.run('var kept = {x: 1}; const aa = [4, 5], {x} = kept; class C { m() { return aa[1] } }\n'
                      'new C().m() + x').value == '6', name
        assert js.run('let bb = await 3, late = 0; setTimeout(() => { late = bb }, 1); bb').value == '3', name
        assert js.run('late + kept.x').value == '4', name
        failed = js.run("throw new RangeError('boo')")
        assert failed.exit == 1 and b'boo' in failed.err, (name, failed)
        failed = js.run('let q = ;')
        assert failed.exit == 1 and failed.err, (name, failed)
    assert count > 0
    assert js.run('process.exit(3)').exit == 3
    assert js.run('console.log(kept)').out == b'{ x: 1 }\n'


@pytest.mark.parametrize('damage', [
    'process.env = Object.freeze({...process.env})', 'process.env = null', 'process.stdin.destroy = () => { throw 1 }',
    "process.on('removeListener', () => { throw 1 }); process.on('exit', () => {}); process.exit(0)",
    'process.stdout.cork(); process.stdout.uncork = null',
    "Object.defineProperty(process, 'exitCode', { set() { throw 1 }, get() { return 0 } })",
])
def test_a_cell_ends_whatever_its_end_meets(js, damage):
    js.run(damage)
    for _ in range(2):
        assert js.run('1 + 1', env={'A': '1'}).value == '2'
    cell = js.run('console.log(1)')
    if damage == 'process.env = null':  # node's own console asks for the environment, and says so
        assert (cell.exit, cell.out) == (1, b'') and cell.err.startswith(b'TypeError: Cannot read properties of null')
        js.run('process.env = {}')
        cell = js.run('console.log(1)')
    assert (cell.exit, cell.out) == (0, b'1\n')


def test_arguments_come_without_the_help_of_prototypes(js):
    (js.home / 'args.js').write_text('process.argv.slice(2)')
    js.run('String.prototype.split = Buffer.prototype.toString = Array.prototype[Symbol.iterator] = null; undefined')
    js.run('for (const name of ["fs", "path"]) Object.keys(require(name)).forEach((key) => {'
           'try { require(name)[key] = null } catch {} }); Object.defineProperty = null; undefined')
    assert js.run('', file=str(js.home / 'args.js'), argv=['args.js', 'a', 'b c']).value == "[ 'a', 'b c' ]"


def test_types_are_taken_out_without_the_help_of_buffers(js):
    js.run('Buffer.concat = Buffer.from = Buffer.prototype.toString = null; undefined')
    assert js.run('let x: number = 1; x').value == '1'
    assert js.is_complete('let y: number = 1')[0] == 'complete'


def test_stacks_are_arrays_of_the_users(js):
    assert js.run('Error.prepareStackTrace = (_, s) => s; const s = new Error().stack; '
                  '[s instanceof Array, s.constructor === Array]').value == '[ true, true ]'
    failed = js.run('let q = ;')
    assert failed.exit == 1 and b'SyntaxError' in failed.err


@pytest.mark.parametrize('chain', ['(function tick() { setTimeout(tick, 5) })()',
                                   '(function tick() { setImmediate(() => setTimeout(tick, 5)) })()'])
def test_a_chain_of_timers_left_by_a_cell_holds_none_after_it(js, chain):
    running = js.start(f'console.log(1); {chain}')
    running.until(lambda result: result.out)
    js.interrupt()
    assert running.finish().interrupted
    assert js.run('await new Promise((then) => setTimeout(then, 60)); 1').value == '1'


def test_no_property_of_objects_harms_the_worker(js):
    """What all objects inherit is no option of the worker's calls."""
    for name in ['at', 'awaits', 'before', 'code', 'configurable', 'enumerable', 'end', 'env', 'error', 'exports', 'file',
                 'filename', 'final', 'flags', 'get', 'id', 'importModuleDynamically', 'kind', 'main', 'name', 'names',
                 'pending', 'placeOf', 'set', 'start', 'stopped', 'then', 'told', 'type', 'value', 'waiting',
                 'writable']:
        js.run(f'Object.prototype.{name} = 1; undefined')
        assert js.run('const aa = [4, 5]; let bb = await 3; aa[1] + bb').value == '8', name
        failed = js.run("throw new RangeError('boo')")
        assert failed.exit == 1 and b'RangeError: boo' in failed.err, (name, failed)
        assert js.run(f'delete Object.prototype.{name}').value == 'true', name
    assert js.run('console.log([1])').out == b'[ 1 ]\n'
