# SPDX-License-Identifier: Apache-2.0
"""Results that are not text: matplotlib figures and objects with a rich representation."""

from . import __builtins__  # noqa: F401  # the originals, as in there

from _operator import methodcaller
from _functools import partial
from sys import modules
from zlib import crc32

from . import DISPLAY, DISPLAY_MAX, field, is_child, native, state, u32

MANY_FIGURES = 100
LAST = 'it was the value of the cell'
MIMES = (('_repr_png_', 'image/png'), ('_repr_jpeg_', 'image/jpeg'),
         ('_repr_svg_', 'image/svg+xml'), ('_repr_html_', 'text/html'))


def emit(mime, data):
    """Sends something to look at; children of the cell have nobody to send it to."""
    if is_child() or state.cell == 0:
        return
    if len(data) > DISPLAY_MAX:
        state.stderr.write(f'{mime} of {len(data)} bytes is too large to be displayed\n')
        return
    native.send(DISPLAY, u32(state.cell) + field(mime.encode()) + field(data))


# Figures

def is_figure(value):
    module = modules.get('matplotlib.figure')
    return module is not None and issubclass(type(value), getattr(module, 'Figure', ()))


def warn_once(caught, line):
    """Warnings of drawing, said of the cell, unless the user's own drawing said them before."""
    import warnings
    registry = modules['__main__'].__dict__.setdefault('__warningregistry__', {})
    said = {key[:2] for key in registry if type(key) is tuple}
    for warning in caught:
        key = str(warning.message), warning.category
        if key in said:
            continue
        said.add(key)
        yield warnings.warn_explicit, warning.message, warning.category, state.name, line, (
            '__main__'), registry


def last_line():
    """Where figures are shown that nothing in the text shows."""
    import linecache
    lines = linecache.getlines(state.name)
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return max(1, len(lines))


def send_figure(figure, line, known=None):
    """Draws a figure and sends it, unless it looks as what is known; gives (its digest, error)."""
    if not figure.axes and not figure.lines:
        return None, None
    import warnings
    from io import BytesIO
    data = BytesIO()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        _, error = yield partial(figure.savefig, data, format='png', bbox_inches='tight',
                                 dpi=figure.dpi),
    yield from warn_once(caught, line)
    if error is not None:
        return None, error
    digest = crc32(data.getbuffer())
    if digest != known:
        emit('image/png', data.getvalue())
    return digest, None


def figures():
    """Sends all open figures of matplotlib and closes them; gives an error.

    A figure that the cell has displayed itself, and that has not changed since, is not sent again.
    """
    pyplot = modules['matplotlib.pyplot']
    if not hasattr(pyplot, 'get_fignums'):
        return None
    failure = None
    line = last_line()
    for number in pyplot.get_fignums()[:MANY_FIGURES]:
        figure = pyplot.figure(number)
        _, known = state.shown.get(id(figure), (None, None))
        if known is not LAST:
            _, error = yield from send_figure(figure, line, known)
            failure = failure or error
    yield pyplot.close, 'all'
    return failure


def show_figures(*args, **kwargs):
    """Displays all open figures and closes them."""
    error = yield from figures()
    if error is not None:
        yield None, error


# Objects

def as_bytes(data):
    if isinstance(data, tuple) and data:
        data = data[0]  # With metadata.
    if isinstance(data, str):
        data = data.encode('utf-8', 'backslashreplace')
    return data if isinstance(data, bytes) else b''


def call(value, method):
    """What a method of an object's class gives; None where there is none, or it fails."""
    has, error = yield hasattr, type(value), method
    if error is not None or not has:
        return None
    given, error = yield methodcaller(method), value
    return given if error is None else None


def bundle(value):
    """What an object says about itself: {mime: bytes}."""
    given = yield from call(value, '_repr_mimebundle_')
    if isinstance(given, tuple) and given:
        given = given[0]
    found = {mime: as_bytes(data) for mime, data in given.items()} if isinstance(given, dict) else {}
    for method, mime in MIMES:
        if not found.get(mime):
            found[mime] = as_bytes((yield from call(value, method)))
    return {mime: found[mime] for _, mime in MIMES if found[mime]}


def rich(value, is_last=False):
    """Sends what there is of an object beside its text; gives (whether a picture went, error)."""
    if is_figure(value):
        digest, error = yield from send_figure(value, last_line())
        state.shown[id(value)] = value, LAST if is_last else digest
        return digest is not None, error
    found = yield from bundle(value)
    for mime, data in found.items():
        emit(mime, data)
    return any(mime.startswith('image/') for mime in found), None


def display(*objs, raw=False, **options):
    for value in objs:
        if raw and isinstance(value, dict):
            for mime, data in value.items():
                if mime != 'text/plain' and as_bytes(data):
                    emit(mime, as_bytes(data))
            if 'text/plain' in value:
                yield print, value['text/plain']
            continue
        has, error = yield hasattr, type(value), '_ipython_display_'
        if error is None and has:
            _, error = yield methodcaller('_ipython_display_'), value
            if error is None:
                continue
        is_picture, error = yield from rich(value)
        if error is None and not is_picture:
            text, error = yield repr, value
            if error is None:
                _, error = yield print, text
        if error is not None:
            yield None, error
