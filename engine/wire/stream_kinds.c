/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_kinds.h"

#include "base/limits.h"
#include "wire/table.h"

/* clang-format off */
TABLE(gb_upload_fields, "UPLOAD", BYTES(gb_upload, path, GB_PATH_MAX), U32(gb_upload, mode));
TABLE(gb_upload_end_fields, "SHUT of an upload", U64(gb_upload_end, size));
TABLE(gb_download_fields, "DOWNLOAD",
      BYTES(gb_download, path, GB_PATH_MAX), U64(gb_download, offset), U64(gb_download, length));
TABLE(gb_download_end_fields, "SHUT of a download",
      U64(gb_download_end, size), U8(gb_download_end, eof));
TABLE(gb_connect_fields, "CONNECT",
      U32(gb_connect, address), U32(gb_connect, port), U32(gb_connect, uid));
TABLE(gb_resolve_fields, "RESOLVE",
      BYTES(gb_resolve, name, GB_HOST_NAME_MAX), U32(gb_resolve, type));
TABLE(gb_resolve_end_fields, "SHUT of a question for a name",
      U8(gb_resolve_end, answer), U32(gb_resolve_end, address), U32(gb_resolve_end, ttl_s));
TABLE(gb_forward_fields, "FORWARD", U32(gb_forward, port));
TABLE(gb_terminal_open_fields, "OPEN of a terminal", U32(gb_terminal_open, number));
TABLE(gb_terminal_end_fields, "SHUT of a terminal",
      I64(gb_terminal_end, exit_code), U32(gb_terminal_end, signal));
/* clang-format on */

const struct gb_stream_kind_info gb_stream_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_STDOUT] = {.name = "stdout",
                          .opener = GB_SIDE_GUEST,
                          .window = {GB_STREAM_WINDOW, 0}},
    [GB_STREAM_STDERR] = {.name = "stderr",
                          .opener = GB_SIDE_GUEST,
                          .window = {GB_STREAM_WINDOW, 0}},
    [GB_STREAM_STDIN] = {.name = "stdin", .opener = GB_SIDE_HOST, .window = {GB_STREAM_WINDOW, 0}},
    [GB_STREAM_UPLOAD] = {.name = "upload",
                          .opener = GB_SIDE_HOST,
                          .open = &gb_upload_fields,
                          .window = {GB_STREAM_WINDOW, 0},
                          .shut = {NULL, &gb_upload_end_fields}},
    [GB_STREAM_DOWNLOAD] = {.name = "download",
                            .opener = GB_SIDE_HOST,
                            .open = &gb_download_fields,
                            .window = {0, GB_STREAM_WINDOW},
                            .shut = {NULL, &gb_download_end_fields}},
    [GB_STREAM_CONNECT] = {.name = "connect",
                           .opener = GB_SIDE_GUEST,
                           .open = &gb_connect_fields,
                           .window = {GB_CONNECT_WINDOW, GB_CONNECT_WINDOW}},
    [GB_STREAM_RESOLVE] = {.name = "resolve",
                           .opener = GB_SIDE_GUEST,
                           .open = &gb_resolve_fields,
                           .shut = {NULL, &gb_resolve_end_fields}},
    [GB_STREAM_TERMINAL] = {.name = "terminal",
                            .opener = GB_SIDE_GUEST,
                            .open = &gb_terminal_open_fields,
                            .window = {GB_TERMINAL_WINDOW, GB_TERMINAL_WINDOW},
                            .shut = {&gb_terminal_end_fields, NULL}},
    [GB_STREAM_FORWARD] = {.name = "forward",
                           .opener = GB_SIDE_HOST,
                           .open = &gb_forward_fields,
                           .window = {GB_CONNECT_WINDOW, GB_CONNECT_WINDOW}},
};
