# SPDX-License-Identifier: Apache-2.0
"""A session as the code executor of AutoGen (autogen-core 0.4 and later).

    from glassbell.integrations.autogen import GlassbellCodeExecutor

    async with GlassbellCodeExecutor() as executor:
        agent = CodeExecutorAgent("coder", code_executor=executor)
"""

from __future__ import annotations

import asyncio
from typing import List, Optional

from autogen_core import CancellationToken, Component
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from pydantic import BaseModel
from typing_extensions import Self

from .._async.client import AsyncClient
from .._async.session import AsyncSession

__all__ = ["GlassbellCodeExecutor", "GlassbellCodeExecutorConfig"]

_SHELL = ("bash", "shell", "sh", "console")
_LANGUAGES = {"python": ("python", "py", "python3"),
              "javascript": ("javascript", "js", "typescript", "ts"), "shell": _SHELL}


class GlassbellCodeExecutorConfig(BaseModel):
    socket: Optional[str] = None
    autostart: bool = True
    image: str = "python"
    memory_mb: Optional[int] = None
    timeout: float = 60


class GlassbellCodeExecutor(CodeExecutor, Component[GlassbellCodeExecutorConfig]):
    """Runs code blocks in one VM: the image's language in an interpreter that keeps its state, and
    shell in bash beside it. `restart` begins with a fresh VM."""

    component_config_schema = GlassbellCodeExecutorConfig
    component_provider_override = "glassbell.integrations.autogen.GlassbellCodeExecutor"

    def __init__(self, *, socket: Optional[str] = None, autostart: bool = True,
                 image: str = "python", memory_mb: Optional[int] = None,
                 timeout: float = 60) -> None:
        self._config = GlassbellCodeExecutorConfig(
            socket=socket, autostart=autostart, image=image, memory_mb=memory_mb, timeout=timeout)
        self._client: Optional[AsyncClient] = None
        self._session: Optional[AsyncSession] = None
        self._language = ""

    async def start(self) -> None:
        if self._session is not None:
            return
        config = self._config
        self._client = AsyncClient(config.socket, name="autogen", autostart=config.autostart)
        self._session = await self._client.open(config.image, memory_mb=config.memory_mb,
                                                timeout=config.timeout, idle=0)
        self._language = (await self._session.get()).language

    async def stop(self) -> None:
        session, self._session = self._session, None
        client, self._client = self._client, None
        if session is not None:
            await session.close()
        if client is not None:
            await client.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def execute_code_blocks(self, code_blocks: List[CodeBlock],
                                  cancellation_token: CancellationToken) -> CodeResult:
        """The blocks one after the other, up to the first that fails. Cancelling ends the code in
        the VM too."""
        await self.start()
        task = asyncio.ensure_future(self._run(code_blocks))
        cancellation_token.link_future(task)
        return await task

    async def _run(self, blocks: List[CodeBlock]) -> CodeResult:
        assert self._session is not None
        output = ""
        for block in blocks:
            language = block.language.strip().lower()
            own = language in _LANGUAGES.get(self._language, (self._language,))
            if not own and language not in _SHELL:
                raise ValueError(f"the image {self._config.image} runs {self._language} and shell, "
                                 f"and no {block.language!r}")
            cell = await self._session.exec(block.code, mode="kernel" if own else "shell")
            output += cell.stdout + cell.stderr
            if cell.ok and cell.note:  # that earlier blocks are undone, for example
                output += f"\n[{cell.note}]"
            if cell.ok:
                continue
            if cell.timed_out:
                return CodeResult(124, output + f"\nTimeout: ended after {self._config.timeout:g} "
                                                "seconds")
            if cell.oom:
                output += "\nThe sandbox ran out of memory"
            return CodeResult(cell.exit_code if cell.exit_code else 137, output)
        return CodeResult(0, output)

    def _to_config(self) -> GlassbellCodeExecutorConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: GlassbellCodeExecutorConfig) -> Self:
        return cls(**config.model_dump())
