# SPDX-License-Identifier: Apache-2.0
# The addon needs libuv's header only; the few declarations of Node-API are ours.
find_path(GB_UV_HEADERS uv.h PATHS /usr/include NO_DEFAULT_PATH REQUIRED)
gb_worker_module(worker-javascript-addon javascript javascript/addon.c common/channel.c)
set_target_properties(worker-javascript-addon PROPERTIES OUTPUT_NAME addon SUFFIX .node)
list(APPEND GB_WORKER_DEPENDS worker-javascript-addon)
