"""Small additions to modules of the standard library and to matplotlib, made when (and only if)
they are imported: sources of cells for linecache and inspect, lambdas for multiprocessing, and
plt.show.  A finder in front of sys.meta_path watches for those few names.
"""

import sys

from . import MPL_CONFIG, NAMESPACE, environ, state

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
        return getfile(object)

    getfile_of_cells.__name__ = getfile_of_cells.__qualname__ = 'getfile'
    getfile_of_cells.__doc__ = getfile.__doc__
    module.getfile = getfile_of_cells


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


def reduce_function(pickler, function):
    """Sends lambdas and inner functions of cells to the processes of a pool by value."""
    from types import FunctionType
    if type(function) is not FunctionType or function.__globals__ is not NAMESPACE or not (
            '<' in function.__qualname__):
        return NotImplemented
    import marshal
    closure = function.__closure__
    cells = None if closure is None else [cell_contents(cell) for cell in closure]
    return rebuild_function, (marshal.dumps(function.__code__), function.__name__,
                              function.__qualname__, function.__defaults__,
                              function.__kwdefaults__, cells, function.__dict__)


def on_reduction(module):
    module.ForkingPickler.reducer_override = reduce_function


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
    module.show = show_figures


HOOKS = {
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
            execute(module)
            hook(module)

        try:
            spec.loader.exec_module = exec_module
        except AttributeError:
            pass  # A loader without attributes of its own: the module comes without our additions.
        return spec


def install():
    sys.meta_path.insert(0, Watch)
    for name, hook in HOOKS.items():
        if name in sys.modules:
            hook(sys.modules[name])
