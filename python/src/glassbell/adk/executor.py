# SPDX-License-Identifier: Apache-2.0
"""ADK's code executor.

What a Runner asks for: code in a sandbox that keeps its state for the ADK session, input files, the
files and figures that the code made, and a result in every case that the model can act on. An
exception of an executor ends the whole run, so that only faults of ours raise (`infra_errors`).

A sandbox belongs to (application, user, execution id). The first use attaches to it or creates it;
its server ends it when it has been idle. When it was lost, it is made again, input files, set-up
code and data frames are put back, and the model is told.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, Literal, Optional, TypeVar, Union

from google.adk.code_executors.base_code_executor import BaseCodeExecutor
from google.adk.code_executors.code_execution_utils import (CodeExecutionInput, CodeExecutionResult,
                                                            File)
from pydantic import ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self

from .._sync.client import Client
from .._sync.execution import Execution as Running
from .._sync.session import Session
from ..errors import (ConnectionFailed, DeadlineExceeded, GlassbellError, InvalidInput, NotFound,
                      SessionClosed, TooLarge)
from ..types import Cell, Output
from .. import _check
from .. import _snippets as snippets
from . import context, files, result, sandboxes
from .result import Execution
from .sandboxes import Identity, Sandbox, Spec

if TYPE_CHECKING:
    import asyncio

    from google.adk.agents.invocation_context import InvocationContext

__all__ = ["GlassbellCodeExecutor"]

logger = logging.getLogger("google_adk.glassbell")

_CODE_MAX = 4 << 20  # bytes of code that the server takes; more goes by way of a file
_LOOK_SECONDS = 5.0  # for a server that runs to say which images it has
_STREAM_MAX = 64 << 20  # bytes of a stream that the server keeps at most
T = TypeVar("T")

NO_NETWORK = (None, "none", "off", {"mode": "none"})  # the ways to write it


class GlassbellCodeExecutor(BaseCodeExecutor):
    """Runs code in a microVM of one's own machine.

    An instance is nothing but these settings: it connects to nothing, and may be copied, pickled
    and shared. All of them are keywords; a name that is not known is an error.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True,
                              arbitrary_types_allowed=True)

    socket_path: Optional[str] = None
    """The server's socket; by default found as the command line finds it ($GLASSBELL_SOCKET, …)."""
    autostart: bool = True
    """Start a server when none runs."""
    image: str = Field(default_factory=lambda: os.environ.get("GLASSBELL_ADK_IMAGE", "python"))
    """The image: what is installed in the sandbox. $GLASSBELL_ADK_IMAGE, else `python`."""
    memory_mb: Optional[int] = Field(default=None, ge=64, le=1 << 20)
    """RAM of the sandbox; by default the image's."""
    network: Union[str, dict[str, Any], None] = None
    """What the sandbox may reach: the name of a policy in the server's settings, or
    {"allow": ["example.com", …]}; by default nothing (docs/network.md)."""
    secrets: list[str] = Field(default_factory=list)
    """Names of secrets in the server's settings, which requests of the sandbox get, but not the
    sandbox; `network` has to allow their hosts."""
    packages: list[str] = Field(default_factory=list, max_length=256)
    """Packages of the image's language, each as "NAME" or "NAME==VERSION": the server fetches them
    once, and the sandbox needs no network for them."""
    env: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the sandbox."""
    stateful: bool = True
    """Variables and files stay for the ADK session. False: each execution has a fresh VM."""
    isolation_scope: Literal["session", "user", "execution"] = "session"
    """Who shares a sandbox: the agents of one ADK session, all sessions of one user, or nobody."""
    timeout_seconds: Optional[int] = Field(default=60, ge=1, le=86400)
    """For one execution. None: the server's own limit of a day."""
    boot_timeout_seconds: float = Field(default=120, gt=0)
    """For a sandbox to start, and to wait for other code of the same session."""
    idle_ttl_seconds: float = Field(default=900, ge=0)
    """After so long without use the server ends the sandbox; 0: never."""
    max_lifetime_seconds: float = Field(default=14400, ge=0)
    """After so long it ends it in any case; 0: never."""
    setup_code: str = ""
    """Runs once in each sandbox, before anything else."""
    error_retry_attempts: int = Field(default=2, ge=1)
    """Failures in a row that ADK shows the model. ADK takes 0 for "never run anything"."""
    output_include: list[str] = Field(default_factory=list)
    """Patterns of the files that become artifacts; by default all that the code changed."""
    output_exclude: list[str] = Field(default_factory=list)
    max_output_files: int = Field(default=20, ge=0)
    max_output_file_bytes: int = Field(default=20 << 20, ge=0)
    max_output_total_bytes: int = Field(default=100 << 20, ge=0)
    max_stdout_chars: int = Field(default=30_000, ge=100)
    """What the model is shown of stdout; the whole of it becomes an artifact (up to 8 MiB)."""
    max_stderr_chars: int = Field(default=10_000, ge=100)
    stderr: Literal["on_failure", "always"] = "on_failure"
    """ADK takes any text on stderr for a failure. on_failure: a warning of code that succeeded is
    put behind its stdout; always: it is left where it is."""
    last_value: Literal["when_silent", "never"] = "when_silent"
    """The value of a last expression, as a notebook shows it, when the code printed nothing."""
    capture_plots: bool = True
    """Open figures become artifacts `figure_N.png`."""
    rollback: bool = True
    """Code that has to be killed with its interpreter (time-out, no memory left) costs no state: the
    sandbox goes back to how it was before it. For that a checkpoint is taken after each execution,
    which the tools also use to go back."""
    on_lost_session: Literal["recreate", "fail"] = "recreate"
    """What becomes of an execution whose sandbox has gone."""
    lease_wait_seconds: float = Field(default=120, ge=0)
    """How long code waits while a person has taken the sandbox over; then it is refused."""
    infra_errors: Literal["report", "raise"] = "report"
    """A failure of ours is told to the model as "nothing ran", or raised, which ends the run."""
    on_event: Optional[Union[str, Callable[[Output], None]]] = Field(default=None, exclude=True)
    """Gets the output while it is made: a callable, or where to import one ("module:name")."""

    @field_validator("on_event")
    @classmethod
    def _importable(cls, value: Any) -> Any:
        if isinstance(value, str) and ":" not in value:
            raise ValueError('a name to import is written "module:name"')
        return value

    @field_validator("network")
    @classmethod
    def _is_network(cls, value: Any) -> Any:
        if isinstance(value, dict) and value != {"mode": "none"} and (
                not value or not set(value) <= {"allow", "rules"}):
            raise ValueError('network is the name of a policy, or {"allow": […]} or {"rules": […]}')
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.secrets and self.network in NO_NETWORK:
            raise ValueError("secrets are for connections: `network` has to allow their hosts")
        if self.optimize_data_file and (not self.stateful or self.isolation_scope == "execution"):
            raise ValueError("optimize_data_file needs a sandbox that keeps its state: later code "
                             "uses the data frames of earlier code")
        return self

    def model_post_init(self, context_: Any) -> None:
        context.warn_of_version()
        self._check_image()

    def _check_image(self) -> None:
        """A mistake in the name is the developer's to know, and not the model's; where no server
        runs yet it shows with the first code."""
        with contextlib.suppress(ConnectionFailed, DeadlineExceeded):
            with Client(self.socket_path, name=context.client_name(), autostart=False,
                        timeout=_LOOK_SECONDS) as client:
                names = client.hello().images
            if self.image not in names:
                raise InvalidInput(f"there is no image {self.image!r:.80}; there are: "
                                   f"{', '.join(names) or 'none'} (`glassbell image ls`)")

    # The one method that ADK calls

    def execute_code(self, invocation_context: InvocationContext,
                     code_execution_input: CodeExecutionInput) -> CodeExecutionResult:
        if not code_execution_input.code.strip():
            return result.make()
        script = context.is_skill(code_execution_input)
        with _span(self, code_execution_input) as note:
            try:
                if script or not self.stateful or self.isolation_scope == "execution":
                    done = self._once(invocation_context, code_execution_input, script)
                else:
                    done = self._in_sandbox(invocation_context, code_execution_input)
            except GlassbellError as problem:
                if self.infra_errors == "raise" or problem.kind == "protocol":
                    raise
                logger.warning("%s", problem)
                done = result.make(stderr=_told(problem))
            note(done)
            return done

    def client(self) -> Client:
        """The connection to the server that all executors of this process share."""
        return sandboxes.client_for(self.socket_path, self.autostart, context.client_name(),
                                    self.boot_timeout_seconds)

    def stats(self) -> dict[str, Any]:
        """Figures of the server, its VMs and its latencies."""
        return self.client().stats()

    def _spec(self) -> Spec:
        return Spec(self.image, self.memory_mb, self.network, self.env, self.setup_code,
                    tuple(self.secrets), tuple(sorted(set(self.packages))))

    def _limit(self) -> float:
        timeout = getattr(self, "timeout_seconds", None)
        return float(timeout) if timeout else 86400.0

    def _boot_limit(self) -> float:
        """The first sandbox with its packages waits until they have been fetched."""
        return self.boot_timeout_seconds + (_check.FETCHING if self.packages else 0)

    def _memory(self) -> str:
        return (f"{self.memory_mb} MB (memory_mb)" if self.memory_mb
                else "the memory of its image (memory_mb sets it)")

    # A sandbox that stays

    def _in_sandbox(self, ctx: Any, given: CodeExecutionInput) -> CodeExecutionResult:
        identity = context.identity(ctx, given.execution_id, self.isolation_scope)
        if identity is None:  # nobody to keep a state for
            return self._once(ctx, given, False)
        inputs = _inputs(given.input_files, context.mounted(ctx))
        with self.held(ctx, identity) as held:
            cell = held.run(inputs, lambda session: self._exec(session, given.code))
            execution = Execution.of(cell, held.sandbox.incarnation, held.session.source)
            held.settle(cell)
            if cell.notice:
                held.notes.append(f"[from the one who had taken the sandbox over: {cell.notice}]")
            return self._finish(cell, execution, held.session, held.sandbox, held.notes)

    @contextlib.contextmanager
    def held(self, ctx: Any, identity: Identity) -> Iterator[Held]:
        """The sandbox of this identity, for one caller at a time."""
        client = self.client()
        sandbox = sandboxes.find(client, identity.key(self._spec()))
        with sandbox.held(self._limit() + self._boot_limit()):
            try:
                yield Held(self, client, sandbox, identity, ctx)
            finally:
                context.write_hint(ctx, sandbox)

    def _prepare(self, sandbox: Sandbox, session: Session, ctx: Any,
                 inputs: dict[str, bytes]) -> Optional[str]:
        """Input files, each once; what the interpreter has to know before user code. The server's
        note about earlier cells, if it came with that."""
        changed = {name: digest for name, digest in
                   ((name, files.digest(data)) for name, data in inputs.items())
                   if sandbox.inputs.get(name) != digest}  # others the code may have changed: leave them
        cells = session.get().cells if changed else 0
        for name, digest in changed.items():
            session.write(name, inputs[name])
            sandbox.inputs[name], sandbox.input_cells[name] = digest, cells
        if sandbox.prepared:
            return None
        code = self._preparation(ctx, inputs)
        cell = self._set_up(session, code) if code else None
        sandbox.prepared, sandbox.prepared_cell = True, cell.cell if cell else 0
        return cell.note if cell else None

    def _set_up(self, session: Session, code: str) -> Cell:
        cell = session.exec(code, timeout=self._limit())
        if not cell.ok:
            why = cell.stderr.strip() or "; ".join(
                result.explain(cell, self._limit(), self._memory()))
            raise InvalidInput(f"the sandbox cannot be prepared: {why}")
        return cell

    def _preparation(self, ctx: Any, inputs: dict[str, bytes]) -> str:
        pieces = []
        if self.optimize_data_file:
            pieces.append(snippets.data_files(
                self.image, [name for name in context.processed(ctx) if name in inputs]))
        if self.setup_code:
            pieces.append(self.setup_code)
        return "\n".join(pieces)

    # A sandbox for one execution

    def _once(self, ctx: Any, given: CodeExecutionInput, script: bool) -> CodeExecutionResult:
        inputs = _inputs(given.input_files, context.mounted(ctx))
        session = self._open(self.client())
        try:
            sandbox = Sandbox("", session=session, incarnation=session.incarnation, prepared=True)
            self._prepare(sandbox, session, ctx, inputs)
            if self.setup_code:
                self._set_up(session, self.setup_code)
            cell = self._exec(session, given.code, "process" if script else None)
            execution = Execution.of(cell, session.incarnation, session.source)
            if script:
                return result.of_script(cell, execution, self._limit(), self._memory())
            return self._finish(cell, execution, session, sandbox, [])
        finally:
            with contextlib.suppress(GlassbellError):  # else it ends by itself when it is idle
                session.close()

    # Common steps

    def _open(self, client: Client, key: Optional[str] = None,
              owner: Optional[str] = None) -> Session:
        return client.open(self.image, key=key, memory_mb=self.memory_mb, network=self.network,
                           secrets=self.secrets or None, packages=self.packages or None,
                           env=self.env or None, idle=self.idle_ttl_seconds,
                           lifetime=self.max_lifetime_seconds, label="adk",
                           checkpoints=self._checkpoints(key),
                           owner=context.short(owner), deadline=self._boot_limit())

    def _checkpoints(self, key: Optional[str]) -> Optional[str]:
        """A sandbox of one execution has no use for them; else the settings decide."""
        if not key:
            return "asked"
        return "cell" if self.rollback else None

    def _exec(self, session: Session, code: str, mode: Optional[str] = None) -> Cell:
        limit = self._limit()
        source = code.encode(errors="surrogatepass")
        if len(source) > _CODE_MAX:
            if len(source) > self.max_output_total_bytes:
                raise TooLarge(f"the code has {len(source)} bytes")
            session.write(snippets.SCRIPT, code.encode())
            code = snippets.RUN_SCRIPT
        callback = _callback(self.on_event)
        running = session.stream(code, mode=mode, timeout=limit, max_stdout=_STREAM_MAX if mode
                                 else 8 << 20, max_stderr=1 << 20, quiet=callback is None,
                                 lease_wait=self.lease_wait_seconds, rollback=self.rollback)
        with _ended_with_its_task(running):
            return running.finish(callback)

    def _finish(self, cell: Cell, execution: Execution, session: Session, sandbox: Sandbox,
                notes: list[str]) -> CodeExecutionResult:
        cell = self._with_value(cell)
        outputs, said = self._outputs(cell, session, sandbox)
        if len(cell.stdout) > self.max_stdout_chars and self.max_output_files:
            sandbox.texts += 1
            name = f"stdout_{sandbox.texts}.txt"
            outputs.append(_file(name, cell.stdout_bytes))
            said.append(f"[the whole output is the artifact {name}]")
        done = result.of_cell(cell, execution, timeout=self._limit(), memory=self._memory(),
                              max_stdout=self.max_stdout_chars, max_stderr=self.max_stderr_chars,
                              always=self.stderr == "always", notes=notes)
        if said and cell.ok and not done.stderr:
            done.stdout = "\n".join([done.stdout.rstrip("\n")] + said if done.stdout else said)
        elif said:
            done.stderr = "\n".join([done.stderr.rstrip("\n")] + said)
        done.output_files = outputs
        return done

    def _with_value(self, cell: Cell) -> Cell:
        if (self.last_value == "when_silent" and cell.ok and cell.value is not None
                and not cell.stdout):
            return Cell.from_json({**cell.raw, "stdout": cell.value + "\n"})
        return cell

    def _outputs(self, cell: Cell, session: Session,
                 sandbox: Sandbox) -> tuple[list[File], list[str]]:
        """What the code made, within the limits, and sentences about what is left out."""
        outputs: list[File] = []
        left_out: list[str] = []
        total = 0
        for name, size, why in _changed(cell):
            if not files.of_interest(name, self.output_include, self.output_exclude):
                continue
            if why is None and size > self.max_output_file_bytes:
                why = f"it has {size} bytes"
            if why is None and total + size > self.max_output_total_bytes:
                why = "the files together are too large"
            if why is None and len(outputs) >= self.max_output_files:
                why = f"there are more than {self.max_output_files} files"
            if why is None:
                data, why = self._fetch(session, name)
                if data is not None and sandbox.inputs.get(name) == files.digest(data):
                    continue  # an input as it was given
                if data is not None:
                    outputs.append(_file(name, data))
                    total += len(data)
            if why is not None:
                left_out.append(f"{name[:80]!r}: {why}")
        if self.capture_plots:
            for display in cell.displays:
                if display.mime.startswith("image/") and len(outputs) < self.max_output_files * 2:
                    sandbox.figures += 1
                    name = f"figure_{sandbox.figures}.{files.extension(display.mime)}"
                    outputs.append(_file(name, display.data, display.mime))
        if cell.files_cut:
            left_out.append("more changed than can be listed")
        if not left_out:
            return outputs, []
        more = f", and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        return outputs, [f"[not saved: {'; '.join(left_out[:5])}{more}]"]

    def _fetch(self, session: Session, name: str) -> tuple[Optional[bytes], Optional[str]]:
        """A regular file's bytes, or why there are none. What is no file is passed over."""
        try:
            entry = session.stat(name)
            if entry.type != "file":
                return None, None
            if entry.size > self.max_output_file_bytes:
                return None, f"it has {entry.size} bytes"
            data = session.read(name, length=self.max_output_file_bytes + 1,
                                deadline=self.boot_timeout_seconds)
            if len(data) > self.max_output_file_bytes:
                return None, "it grew while it was read"
            return data, None
        except (NotFound, SessionClosed) as gone:
            return None, None if isinstance(gone, NotFound) else "the sandbox has ended"
        except GlassbellError as problem:
            return None, problem.message


class Held:
    """A sandbox while nobody else may use it."""

    def __init__(self, executor: GlassbellCodeExecutor, client: Client, sandbox: Sandbox,
                 identity: Identity, ctx: Any) -> None:
        self._executor = executor
        self._client = client
        self._identity = identity
        self._ctx = ctx
        self.sandbox = sandbox
        self.notes: list[str] = []  # what the model has to know of what happened to it

    @property
    def session(self) -> Session:
        if self.sandbox.session is None:
            self._attach()
        assert self.sandbox.session is not None
        return self.sandbox.session

    def run(self, inputs: dict[str, bytes], action: Callable[[Session], T]) -> T:
        """Does something with the session, after its input files are there. What was refused
        before anything ran is tried once more, in a new sandbox when the old one is gone."""
        for last in (False, True):
            try:
                self._catch_up()
                note = self._executor._prepare(self.sandbox, self.session, self._ctx, inputs)
                if note:
                    self.notes.append(f"[{note}]")
                return action(self.session)
            except (SessionClosed, NotFound) as gone:
                if last or gone.dispatched or self.sandbox.session is None or not self._gone(gone):
                    raise
                self.sandbox.session = None
            except GlassbellError as problem:
                if problem.dispatched:
                    self.sandbox.session = None  # what became of it is asked next time
                if last or problem.dispatched or not problem.retryable or problem.kind == "held":
                    raise
        raise AssertionError("unreachable")

    def _gone(self, problem: GlassbellError) -> bool:
        """Not found may also be a file."""
        if isinstance(problem, SessionClosed):
            return True
        try:
            return self.session.get().state in ("closed", "lost")
        except (SessionClosed, NotFound):
            return True

    def _attach(self) -> None:
        executor, sandbox = self._executor, self.sandbox
        session = executor._open(self._client, sandbox.key, self._identity.user)
        hint = context.read_hint(self._ctx, sandbox.key)
        known = sandbox.incarnation
        if session.created or (known and known != session.incarnation) or \
                (not known and session.id != hint.get("session")):
            sandbox.inputs, sandbox.input_cells = {}, {}
            sandbox.prepared, sandbox.epoch = False, 0
        elif not known:  # another process of this application has used it
            sandbox.inputs = {name: digest for name, digest in hint.get("inputs", {}).items()
                              if isinstance(name, str) and isinstance(digest, str)}
            sandbox.input_cells = {name: cell for name, cell in hint.get("input_cells", {}).items()
                                   if isinstance(cell, int)}
            sandbox.prepared = session.incarnation == hint.get("incarnation")
            sandbox.prepared_cell = int(hint.get("prepared_cell") or 0)
            sandbox.epoch = int(hint.get("epoch") or 0)
        if not known:
            sandbox.figures = int(hint.get("figures") or 0)
            sandbox.texts = int(hint.get("texts") or 0)
        sandbox.session, sandbox.incarnation = session, session.incarnation
        if not session.created or not (known or hint):
            return
        why = _why(session.reason, executor.idle_ttl_seconds)
        if executor.on_lost_session == "fail":
            raise InvalidInput(f"the sandbox of this session is gone ({why}), and with it its "
                               "variables and files; a new one is there for the next code")
        self.notes.append(f"[sandbox restarted ({why}): variables and files from before are gone]")

    def _catch_up(self) -> None:
        """What is remembered of the session is true until it is taken back: by a tool, by a person,
        or because its server ended and left a checkpoint. Its epoch tells."""
        sandbox = self.sandbox
        epoch = int(self.session._call("session.checkpoints", limit=1, safe=True).get("epoch") or 0)
        if sandbox.epoch and epoch != sandbox.epoch:
            self._rewound(max((kept.cell for kept in self.session.checkpoints()
                               if kept.here and kept.epoch <= sandbox.epoch), default=0))
        sandbox.epoch = epoch

    def _rewound(self, cell: int) -> None:
        """The session goes on from how it was after that cell: what of the inputs is not there any
        more, or came later, and what the interpreter has to know, is brought in again."""
        for name in list(self.sandbox.inputs):
            if self.sandbox.input_cells.get(name, cell) >= cell:
                del self.sandbox.inputs[name]  # an earlier one of that name may be there
                continue
            try:
                self.session.stat(name)
            except NotFound:
                del self.sandbox.inputs[name]
        if cell < self.sandbox.prepared_cell:
            self.sandbox.prepared = False

    def settle(self, cell: Cell) -> None:
        if cell.state_lost:
            self.sandbox.prepared = False
            self.sandbox.incarnation += 1


def _changed(cell: Cell) -> Iterator[tuple[str, int, Optional[str]]]:
    """Name, size and what is wrong with the name of what came or changed."""
    for change in cell.files or ():
        if change.change != "removed" and change.path != snippets.SCRIPT:
            odd = change.path.encode(errors="replace") != change.path_bytes
            yield change.path, change.size, ("its name is not Unicode text" if odd else
                                             files.bad_name(change.path))


def _file(name: str, data: bytes, mime: Optional[str] = None) -> File:
    # base64 in a str is what every version of ADK takes.
    return File(name=name, content=base64.b64encode(data).decode(),
                mime_type=mime or files.mime_type(name))


def _inputs(given: Any, mounted: dict[str, bytes]) -> dict[str, bytes]:
    inputs = dict(mounted)
    for file in given or ():
        why = files.bad_name(file.name)
        if why is not None:
            raise InvalidInput(f"the input file {str(file.name)[:80]!r} cannot be used: {why}")
        inputs[file.name] = files.content_bytes(file.content)
    return inputs


def _why(reason: str, idle: float) -> str:
    long = f"{idle / 60:g} min" if idle >= 60 else f"{idle:g} s"
    return {"expired": f"idle for {long}, or past its lifetime", "crashed": "it crashed",
            "closed": "it was closed", "new": "its server was restarted"}.get(reason, reason)


def _told(problem: GlassbellError) -> str:
    if problem.dispatched:
        said = f"The outcome is unknown, the code may have run: {problem.message}"
        cell = problem.data.get("cell")
        printed = Cell.from_json(cell).stdout if isinstance(cell, dict) else ""
        return said + (f"\n[stdout before that]\n{result.cut(printed, 10_000)}" if printed else "")
    return f"Nothing ran ({problem.kind}): {problem.message}"


def _callback(given: Union[None, str, Callable[[Output], None]]) -> Optional[Callable[[Output], None]]:
    if isinstance(given, str):
        module, _, name = given.partition(":")
        found: Callable[[Output], None] = getattr(importlib.import_module(module), name)
        return found
    return given


@contextlib.contextmanager
def _ended_with_its_task(running: Running) -> Iterator[None]:
    """Ends the code in the VM when the run that asked for it is cancelled: ADK itself would leave
    the thread that we are in alone. Needs the plugin, and a version that calls us in a thread."""
    task, loop = context.running_task()
    if task is None or loop is None:
        yield
        return

    def ended(task: asyncio.Future[Any]) -> None:
        running.cancel()

    loop.call_soon_threadsafe(task.add_done_callback, ended)
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            loop.call_soon_threadsafe(task.remove_done_callback, ended)


@contextlib.contextmanager
def _span(executor: GlassbellCodeExecutor,
          given: CodeExecutionInput) -> Iterator[Callable[[CodeExecutionResult], None]]:
    """A span of OpenTelemetry, without the code or what it printed."""
    began = time.perf_counter()
    with context.span("execute_code glassbell") as span:
        def note(done: CodeExecutionResult) -> None:
            run = getattr(done, "execution", None)
            if span is not None:
                span.set_attribute("glassbell.image", executor.image)
                span.set_attribute("glassbell.code_bytes", len(given.code))
                span.set_attribute("glassbell.ran", run is not None)
                if run is not None:
                    span.set_attribute("glassbell.session", run.session)
                    span.set_attribute("glassbell.incarnation", run.incarnation)
                    span.set_attribute("glassbell.exit_code",
                                       -1 if run.exit_code is None else run.exit_code)
            logger.debug("executed %d bytes of code in %.1f ms", len(given.code),
                         (time.perf_counter() - began) * 1000)

        yield note
