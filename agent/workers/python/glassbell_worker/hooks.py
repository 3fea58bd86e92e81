# SPDX-License-Identifier: Apache-2.0
"""Small additions to modules of the standard library and to matplotlib, made when (and only if)
they are imported: sources of cells for linecache and inspect, functions of cells for
multiprocessing, the session's event loop for asyncio, and plt.show.  A finder in front of sys.meta_path watches for those few names.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import sys
from _functools import partial
from sys import modules

from . import MPL_CONFIG, NAMESPACE, builtin, environ, native, state

MPL_BUILT = '/usr/share/glassbell/matplotlib'


def lines_of(text):
    """Splits as the compiler does: not at form feeds or Unicode separators."""
    lines = text.replace('\r\n', '\n').replace('\r', '\n').split('\n')
    if not lines[-1]:
        lines.pop()
    return [line + '\n' for line in lines]


def seed(name, text):
    state.linecache.cache[name] = (len(text), None, lines_of(text), name)


def on_linecache(module):
    state.linecache = module
    for name, text in state.sources.items():
        seed(name, text)


def cell_of_class(cls):
    """The cell that defined a class: that of one of its functions, or the newest naming it."""
    for member in vars(cls).values():
        function = getattr(member, '__func__', None) or getattr(member, 'fget', None) or member
        code = getattr(function, '__code__', None)
        if code is not None and code.co_filename in state.sources and (
                code.co_qualname.startswith(cls.__qualname__ + '.')):
            return code.co_filename
    import re
    pattern = re.compile(r'^\s*class\s+' + re.escape(cls.__name__) + r'\b', re.M)
    for name in reversed(state.sources):
        if pattern.search(state.sources[name]):
            return name
    return None


def on_inspect(module):
    getfile = module.getfile

    def getfile_of_cells(object):
        if isinstance(object, type) and object.__module__ == '__main__':
            name = cell_of_class(object)
            if name is not None:
                return name
        file, error = yield getfile, object
        if error is not None:
            yield None, error
        return file

    module.getfile = native.flow(getfile_of_cells, 'getfile',
                                 'getfile($module, object, /)\n--\n\n' + getfile.__doc__, 'inspect')


def rebuild_function(code, name, qualname, defaults, kwdefaults, cells, attributes):
    import marshal
    from types import CellType, FunctionType
    function = FunctionType(marshal.loads(code), NAMESPACE, name, defaults,
                            None if cells is None else tuple(CellType(*cell) for cell in cells))
    function.__qualname__ = qualname
    function.__kwdefaults__ = kwdefaults
    function.__dict__.update(attributes)
    return function


def cell_contents(cell):
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def is_for_strangers():
    """Whether what is pickled goes to processes that know nothing of the cells."""
    context = modules['multiprocessing.context']
    process = modules['multiprocessing.process']
    popen = context.get_spawning_popen()
    methods = [popen.method] if popen is not None else [
        getattr(child, '_start_method', 'fork') for child in list(process._children)]
    return bool(methods) and 'fork' not in methods


def refusal(thing):
    from pickle import PicklingError
    return PicklingError(
        f"Can't pickle {thing!r}: it was defined in a cell, and processes started by 'spawn' or "
        "'forkserver' do not know it; write it to a module and import it from there, or take "
        "multiprocessing.get_context('fork')")


def reduce_function(thing):
    """Sends lambdas and inner functions of cells to the processes of a pool by value.

    A process that was not forked from the session would die of what it cannot find, and its pool
    start another one, and so on: it is not sent.
    """
    from types import FunctionType
    if type(thing) is FunctionType:
        if thing.__globals__ is not NAMESPACE:
            return NotImplemented
    elif not isinstance(thing, type) or thing.__module__ != '__main__':
        return NotImplemented
    # Of a program: whoever is started imports its file, and finds what has a name there.
    if state.is_program and '<' not in thing.__qualname__:
        return NotImplemented
    if is_for_strangers():
        yield None, refusal(thing)
    if isinstance(thing, type) or '<' not in thing.__qualname__:
        return NotImplemented
    import marshal
    closure = thing.__closure__
    cells = None if closure is None else [cell_contents(cell) for cell in closure]
    return rebuild_function, (marshal.dumps(thing.__code__), thing.__name__, thing.__qualname__,
                              thing.__defaults__, thing.__kwdefaults__, cells, thing.__dict__)


def on_reduction(module):
    module.ForkingPickler.reducer_override = builtin(reduce_function, 'reducer_override')


def before_matplotlib():
    """Puts the list of fonts that came with the image where matplotlib looks for it."""
    from os import listdir, makedirs, symlink
    if environ.get('MPLCONFIGDIR') != MPL_CONFIG:
        return
    try:
        names = listdir(MPL_BUILT)
        makedirs(MPL_CONFIG, 0o700, exist_ok=True)
        for name in names:
            symlink(f'{MPL_BUILT}/{name}', f'{MPL_CONFIG}/{name}')
    except OSError:
        pass  # An image without it, or done before: matplotlib makes what is missing.


def on_pyplot(module):
    from .display import show_figures
    module.show = partial(builtin(show_figures, 'show'))  # It wants to have attributes.
    module.show.__name__ = module.show.__qualname__ = 'show'
    module.show.__doc__ = 'Display all open figures.'


def on_asyncio(module):
    from .loop import on_asyncio
    on_asyncio(module)


HOOKS = {
    'asyncio': on_asyncio,
    'linecache': on_linecache,
    'inspect': on_inspect,
    'multiprocessing.reduction': on_reduction,
    'matplotlib.pyplot': on_pyplot,
}

HOOKS_BEFORE = {'matplotlib': before_matplotlib}


class Watch:
    """Finds nothing itself; runs hooks before and after the named modules are loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in HOOKS_BEFORE:
            HOOKS_BEFORE[name]()
        hook = HOOKS.get(name)
        if hook is None:
            return None
        for finder in sys.meta_path:
            if finder is Watch:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            _, error = yield execute, module
            if error is not None:
                yield None, error
            hook(module)

        try:
            spec.loader.exec_module = builtin(exec_module, 'exec_module')
        except AttributeError:
            pass  # A loader without attributes of its own: the module comes without our additions.
        return spec


def install():
    sys.meta_path.insert(0, Watch)
    for name, hook in HOOKS.items():
        if name in modules:
            hook(modules[name])
