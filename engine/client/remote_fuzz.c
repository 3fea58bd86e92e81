/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of hosts: any bytes give a host that may be handed to ssh, or a sentence; and what is
 * written of a host gives the same host. */
#include <stdlib.h>
#include <string.h>

#include "client/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_remote host, again;
    struct gb_buf text = {0};
    struct gb_err err = {0};

    if (gb_remote_parse((struct gb_bytes){data, size}, &host, &err) < 0) {
        if (err.message[0] == '\0' || strchr(err.message, '\n') != NULL)
            abort();
        return 0;
    }
    if (host.name[0] == '\0' || host.name[0] == '-' || host.user[0] == '-' ||
        strpbrk(host.name, "'\"`$\\;&<>|(){} \n") != NULL ||
        strpbrk(host.user, "'\"`$\\;&<>|(){} \n") != NULL ||
        strpbrk(host.socket, "'\\\n") != NULL || (host.socket[0] != '\0' && host.socket[0] != '/'))
        abort();
    gb_remote_print(&text, &host);
    /* A byte may take three when it is written again, so that the longest do not fit. */
    if (text.size <= GB_REMOTE_URL_MAX) {
        if (gb_remote_parse(gb_buf_bytes(&text), &again, NULL) < 0 ||
            strcmp(host.user, again.user) != 0 || strcmp(host.name, again.name) != 0 ||
            strcmp(host.socket, again.socket) != 0 || host.port != again.port)
            abort();
    }
    gb_buf_release(&text);
    return 0;
}
