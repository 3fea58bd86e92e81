# SPDX-License-Identifier: Apache-2.0
"""Data files and figures, with the image that has pandas and matplotlib."""

import asyncio
import threading

import pytest
from conftest import IN_THREAD
from google.genai import types
from scripted import code, content, drive, run

import glassbell
from glassbell._sync.session import Session

CSV = b"name,score\nann,3\nbob,5\n"


@pytest.fixture
def uploads(monkeypatch):
    """The names that were uploaded, never on the loop where ADK can help it."""
    names = []
    write = Session.write

    def counted(self, path, data, **options):
        assert not IN_THREAD or threading.current_thread() is not threading.main_thread()
        names.append(path)
        return write(self, path, data, **options)

    monkeypatch.setattr(Session, "write", counted)
    return names


def with_csv():
    return content(types.Part.from_bytes(data=CSV, mime_type="text/csv"), "What is in it?")


def test_data_file(executor, server, uploads):
    """Explored before the model is asked; its frame stays, and comes back when the VM was lost."""
    one = executor(image="python-data", timeout_seconds=120, boot_timeout_seconds=280, optimize_data_file=True)

    async def main():
        first = await drive(one, code("print('sum', data_1_1['score'].sum())"), message=with_csv())
        second = await drive(one, code("print('max', data_1_1['score'].max())"),
                             runner=first.runner, session=first.session)
        with glassbell.Client(server.socket, autostart=False) as client:
            for info in client.sessions(image="python-data"):
                client.session(info.session).close()
        third = await drive(one, code("print('min', data_1_1['score'].min())"),
                            runner=first.runner, session=first.session)
        return first, second, third

    first, second, third = asyncio.run(main())
    explored, summed = first.results
    assert "Total rows: 2" in explored.output and "score" in explored.output
    assert "sum 8" in summed.output and "`data_1_1.csv`" in first.llm.text(0)
    assert first.artifacts == {}
    assert "max 5" in second.results[-1].output
    assert uploads == ["data_1_1.csv"] * 2  # once in each VM
    assert "[sandbox restarted (it was closed)" in third.results[-1].output
    assert "min 3" in third.results[-1].output


def test_no_pandas(executor):
    made = run(executor(optimize_data_file=True), "hi", message=with_csv())
    assert "optimize_data_file needs pandas" in made.results[0].output


def test_figures(executor):
    source = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nprint('drawn')"
    made = run(executor(image="python-data", timeout_seconds=120, boot_timeout_seconds=280), code(source), code("plt.figure(); plt.plot([2, 1]); None"))
    assert made.outcomes == ["OK", "OK"]
    assert made.artifacts == {"figure_1.png": 0, "figure_2.png": 0}
    figure = asyncio.run(made.artifact("figure_1.png"))
    assert figure.data.startswith(b"\x89PNG") and figure.mime_type == "image/png"
