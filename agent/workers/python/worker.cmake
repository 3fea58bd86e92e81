# SPDX-License-Identifier: Apache-2.0
# A native module for what happens between cells, sources and, because the folder is read-only in the
# guest, their compiled form. It is taken as it is (unchecked), since the copies' times mean nothing there.
gb_worker_module(worker-python-native python/glassbell_worker python/native.c python/ending.c
    python/flow.c python/streams.c common/channel.c)
set_target_properties(worker-python-native PROPERTIES OUTPUT_NAME native)
find_program(GB_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(stamp ${CMAKE_CURRENT_BINARY_DIR}/python-compiled.stamp)
add_custom_command(OUTPUT ${stamp}
    COMMAND ${GB_PYTHON} -m compileall -q -f --invalidation-mode unchecked-hash
        ${GB_WORKER_OUT}/python/glassbell_worker
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${GB_WORKER_COPIES})
list(APPEND GB_WORKER_DEPENDS ${stamp} worker-python-native)
