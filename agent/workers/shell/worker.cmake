# SPDX-License-Identifier: Apache-2.0
# A loadable builtin, against the headers of bash-builtins. Those are system headers: the warnings are
# for our code.
find_path(GB_BASH_HEADERS shell.h PATH_SUFFIXES bash REQUIRED)
gb_worker_module(worker-shell-builtin shell shell/glassbell.c shell/complete.c
    shell/program.c common/channel.c)
set_target_properties(worker-shell-builtin PROPERTIES OUTPUT_NAME glassbell)
target_include_directories(worker-shell-builtin SYSTEM PRIVATE
    ${GB_BASH_HEADERS} ${GB_BASH_HEADERS}/include ${GB_BASH_HEADERS}/builtins)
list(APPEND GB_WORKER_DEPENDS worker-shell-builtin)
