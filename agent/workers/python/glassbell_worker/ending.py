# SPDX-License-Identifier: Apache-2.0
"""The end of a program, without the time that it takes to take apart what is not the program's.

An interpreter that ends waits for its threads, runs the exit hooks, flushes its streams, collects
garbage and takes all modules apart (Py_FinalizeEx() in CPython's pylifecycle.c).  Here most modules
are those of the template, which every clone shares until it writes to them, and taking them apart
writes to all: a tenth of a second without hardware help, one with pandas.  So

- what the template had, and the program has not changed, leaves sys.modules before that step, and
  stays as it is (release());
- when the last of the program's is gone, the result is told and the process ends (native.depart).

A program that leaves nothing behind that could notice its end (is_bare()) ends without any of this,
after its exit hooks.

All other steps are the interpreter's own, in its order.  Where something is not as expected (the
standard streams are not files, the collector is off), it ends as it would anyway, and its exit
status is the result.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import sys
from sys import is_finalizing, modules  # which the program may take away
from atexit import _run_exitfuncs as run_hooks, register
from gc import callbacks, get_objects, isenabled
from _weakref import ReferenceType

from . import (MAIN, NAMESPACE, TextIOWrapper, __file__ as FILE, __name__ as PACKAGE, builtin,
               count_threads, is_child, native, state)

FULL = 2  # the oldest generation
UNFLUSHED = 120  # the status of an interpreter that could not flush its streams
# Taken apart last, or the program's.
APART = ('sys', 'builtins', '__main__')
STREAMS = 'stdout', 'stderr'
ORIGINAL_STREAMS = '__stdout__', '__stderr__'
ModuleType = type(sys)
BuiltinType = type(len)
GeneratorType = type(nothing for nothing in ())

IMMUTABLE = 1 << 8  # of a class's flags: Py_TPFLAGS_IMMUTABLETYPE

before = ()
harmless = frozenset()  # classes known to be harmless, which no program changes
held = []  # what stays as it is


def is_ours(name):
    return name == PACKAGE or name.startswith(PACKAGE + '.')


def all_classes():
    found = {object}
    left = [object]
    while left:
        more = set(type.__subclasses__(left.pop())) - found
        found |= more
        left += more
    return found


def remember():
    """Notes what is there before any program; called once, before the template is made.  To look at
    a class for the first time in a clone costs more than to know it: the pages are not its own."""
    global before, harmless
    harmless = frozenset(
        kind for kind in all_classes()
        if (is_ours(kind.__module__) or all(base.__flags__ & IMMUTABLE for base in kind.__mro__))
        and not issubclass(kind, (type, ReferenceType)) and is_harmless(kind))
    before = tuple((name, module, module.__dict__, module.__dict__.copy())
                   for name, module in modules.items()
                   if name not in APART and type(module) is ModuleType and not is_ours(name))


def forget_main():
    """`__main__` goes when sys.modules lets it go, as it does where nobody else knows it."""
    main, names = MAIN, NAMESPACE  # which are forgotten on the way
    for name, module in list(modules.items()):
        if is_ours(name):
            for known in [known for known, value in module.__dict__.items()
                          if value is names or value is main]:
                module.__dict__[known] = None


def released():
    """What the program has changed of the template is left to the interpreter, with its own."""
    for name, module, names, copy in before:
        if modules.get(name) is module and native.same(names, copy):
            yield name, module
    for name, module in list(modules.items()):
        if is_ours(name):
            yield name, module


def exit_status(streams):
    """None: unknown.  A stream that could not be flushed could not be a moment ago, either."""
    status = state.final
    for stream in streams:
        if stream is not None and type(stream) is not TextIOWrapper:
            return None
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError:
            status = UNFLUSHED
    return status


def release(phase, info):
    """Called by the collector; the last time that it is, before modules are taken apart."""
    if phase != 'stop' or info['generation'] != FULL or not is_finalizing():
        return
    callbacks.remove(state.release)
    streams = [sys.__dict__.get(name) for name in STREAMS]
    status = None if is_child() else exit_status(streams)
    forget_main()
    if status is not None:
        for name, module in released():
            held.append(module)
            modules.pop(name, None)
        native.depart(sys.__dict__, state.cell, status,
                      [stream for stream in (*streams, *map(sys.__dict__.get, ORIGINAL_STREAMS))
                       if stream is not None], held)
    return
    yield  # a generator, as builtin() wants it


def last():
    """The first exit hook, and so the one that is called last."""
    if state.final is not None and not isenabled():
        forget_main()  # Nobody calls release().
    return
    yield


# Modules in C whose objects do nothing when they go, but for letting others go.
SAFE_MODULES = frozenset((
    'builtins', 'types', 'collections', 'functools', 'itertools', 'operator', '_operator', 're', '_abc',
    'contextvars', '_contextvars', 'typing', 'datetime', 'decimal', 'array', 'math', 'time', 'zlib',
    '_random', '_struct', '_thread', '_weakref', '_json', '_csv', '_pickle', '_bisect', '_heapq', '_queue',
    'unicodedata', '_hashlib', '_sha1', '_sha2', '_sha3', '_md5', '_blake2', '_hmac'))
SAFE_PACKAGES = 'numpy', 'pandas'
LOOKED_AT_MAX = 20000  # whoever leaves more has taken some time, too
FOLDER = FILE.rpartition('/')[0] + '/'


def is_harmless(kind):
    """Whether no object of the class does anything when it goes."""
    for base in kind.__mro__:
        if '__del__' in base.__dict__:
            return False
        if not native.is_python_class(base) and base.__module__ not in SAFE_MODULES and (
                base.__module__.partition('.')[0] not in SAFE_PACKAGES):
            return False
    return True


def is_of_abc(callback):
    """Those of the caches that abstract classes keep, in C."""
    return type(callback) is BuiltinType and callback.__name__ == '_destroy'


def is_bare():
    """Whether nothing of the program's would do anything when the interpreter takes it apart."""
    objects = get_objects()
    if len(objects) > LOOKED_AT_MAX:
        return False
    kinds = set()
    for thing in native.strangers(objects, harmless):
        kind = type(thing)
        if kind is GeneratorType:
            if not thing.gi_code.co_filename.startswith(FOLDER):
                return False
        elif issubclass(kind, type):
            if not is_harmless(thing):
                return False
        elif issubclass(kind, ReferenceType):
            if thing.__callback__ is not None and not is_of_abc(thing.__callback__):
                return False
        elif kind not in kinds:
            if not is_harmless(kind):
                return False
            kinds.add(kind)
    return True


def leave():
    """Ends the process, if nothing of the program's could tell that the rest was left out."""
    if count_threads() or callbacks or is_child():
        return
    yield run_hooks,
    for stream in map(sys.__dict__.get, STREAMS):
        if type(stream) is not TextIOWrapper:
            return
        _, error = yield stream.flush,
        if error is not None:
            return
    try:
        if is_bare():
            native.leave(state.cell, state.final)
    except Exception:
        pass  # A class that cannot be looked at: the interpreter takes it apart as it always does.


def begin():
    callbacks.append(state.release)


def install():
    state.release = builtin(release, 'release')
    register(builtin(last, 'last'))
