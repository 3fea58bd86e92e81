"""Results that are not text: matplotlib figures and objects with a rich representation."""

import sys

from . import DISPLAY, DISPLAY_MAX, PID, field, getpid, state, u32

MANY_FIGURES = 100


def emit(mime, data):
    """Sends something to look at; children of the cell have nobody to send it to."""
    if getpid() != PID:
        return
    if len(data) > DISPLAY_MAX:
        print(f'{mime} of {len(data)} bytes is too large to be displayed', file=sys.stderr)
        return
    state.channel.send(DISPLAY, u32(state.cell) + field(mime) + field(data))


def figures():
    """Sends all open figures of matplotlib and closes them."""
    pyplot = sys.modules['matplotlib.pyplot']
    if not hasattr(pyplot, 'get_fignums'):
        return
    from io import BytesIO
    try:
        for number in pyplot.get_fignums()[:MANY_FIGURES]:
            data = BytesIO()
            pyplot.figure(number).savefig(data, format='png', bbox_inches='tight')
            emit(b'image/png', data.getvalue())
    finally:
        pyplot.close('all')


def show_figures(*args, **kwargs):
    """Displays all open figures and closes them."""
    figures()


def rich(value):
    """Sends what an object says about itself; its text is sent in any case."""
    for method, mime in (('_repr_png_', b'image/png'), ('_repr_html_', b'text/html')):
        if not hasattr(type(value), method):
            continue
        try:
            data = getattr(value, method)()
        except Exception:
            continue
        if isinstance(data, tuple):
            data = data[0]
        if isinstance(data, str):
            data = data.encode('utf-8', 'backslashreplace')
        if isinstance(data, bytes) and data:
            emit(mime, data)
