# SPDX-License-Identifier: Apache-2.0
"""Small adapters: Glassbell sessions as sandboxes of other frameworks.

`deepagents` (LangChain), `smolagents`, `autogen`, `llama_index`: each needs its framework, and holds
one session, which is closed with it.
"""
