# SPDX-License-Identifier: Apache-2.0
"""An ADK agent that plots a CSV file in a microVM, and saves the plot as an artifact.

    pip install './python[adk]'
    python python/examples/plot_csv.py

The model is a script, so that no cloud is needed; with a real one:

    GLASSBELL_EXAMPLE_MODEL=gemini-2.5-flash GOOGLE_API_KEY=… python python/examples/plot_csv.py

The image python-data has matplotlib; without that image, the script draws an SVG by hand.
"""

import asyncio
import os
import pathlib
import sys

from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

import glassbell
from glassbell.adk import GlassbellCodeExecutor, GlassbellPlugin

CSV = "month,rain\n" + "".join(f"{month},{rain}\n" for month, rain in zip(
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    (78, 61, 55, 43, 49, 57, 66, 71, 62, 80, 85, 83)))

LOOK = """\
I will look at the file first.
```python
import csv
rows = list(csv.DictReader(open("rain.csv")))
print(len(rows), "rows:", rows[0], "...")
```
"""

WITH_MATPLOTLIB = """\
Twelve months of rain: a bar chart will do.
```python
import matplotlib.pyplot as plt
plt.bar([row["month"] for row in rows], [float(row["rain"]) for row in rows])
plt.ylabel("rain in mm")
plt.savefig("rain.png")
plt.close()
print("drawn")
```
"""

BY_HAND = """\
Twelve months of rain: a bar chart will do.
```python
bars = "".join(
    f'<rect x="{20 + 30 * n}" y="{120 - float(row["rain"])}" width="24" height="{row["rain"]}"/>'
    f'<text x="{32 + 30 * n}" y="135" text-anchor="middle">{row["month"]}</text>'
    for n, row in enumerate(rows))
open("rain.svg", "w").write(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 145" font-size="9" '
    f'fill="steelblue">{bars}</svg>')
print("drawn")
```
"""


class Script(BaseLlm):
    """A model that says its lines in turn."""

    model: str = "script"
    lines: list[str]
    said: int = 0

    async def generate_content_async(self, llm_request, stream=False):
        line = self.lines[min(self.said, len(self.lines) - 1)]
        self.said += 1
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=line)]))


def make_model(has_matplotlib):
    """The model that the environment names, else the script."""
    name = os.environ.get("GLASSBELL_EXAMPLE_MODEL")
    if name:
        return name
    return Script(lines=[LOOK, WITH_MATPLOTLIB if has_matplotlib else BY_HAND,
                         "The plot is saved. The wettest month is November, with 85 mm."])


async def main(folder):
    with glassbell.Client() as client:
        image = "python-data" if "python-data" in client.hello().images else "python"
    agent = LlmAgent(
        name="plotter", model=make_model(image == "python-data"),
        instruction="The file rain.csv is in the working directory. Plot it, and save the plot as "
                    "a file.",
        code_executor=GlassbellCodeExecutor(image=image, idle_ttl_seconds=60))
    runner = InMemoryRunner(agent=agent, app_name="plot", plugins=[
        GlassbellPlugin(mount_artifacts=["rain.csv"], close_sandboxes=True)])
    session = await runner.session_service.create_session(app_name="plot", user_id="me")
    where = {"app_name": "plot", "user_id": "me", "session_id": session.id}
    await runner.artifact_service.save_artifact(
        filename="rain.csv", artifact=types.Part.from_bytes(data=CSV.encode(), mime_type="text/csv"),
        **where)

    saved = []
    async for event in runner.run_async(
            user_id="me", session_id=session.id,
            new_message=types.Content(role="user", parts=[types.Part(text="Plot the rain.")])):
        for part in (event.content.parts if event.content else None) or []:
            if part.text:
                print(part.text.strip())
            elif part.executable_code:
                print("\n".join(f"    {line}" for line in part.executable_code.code.splitlines()))
            elif part.code_execution_result:
                print(f"--> {part.code_execution_result.outcome.name}: "
                      f"{(part.code_execution_result.output or '').strip()}")
        saved += event.actions.artifact_delta or {}
    for name in saved:
        part = await runner.artifact_service.load_artifact(filename=name, **where)
        path = pathlib.Path(folder) / pathlib.Path(name).name
        path.write_bytes(part.inline_data.data)
        print(f"saved {path} ({part.inline_data.mime_type}, {len(part.inline_data.data)} bytes)")
    await runner.close()
    return 0 if saved else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ".")))
