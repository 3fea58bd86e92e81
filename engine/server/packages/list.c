/* SPDX-License-Identifier: Apache-2.0 */
#include "list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/layer.h"
#include "rpc/object.h"
#include "server/core/request.h"
#include "server/packages/state.h"

/* A reply being written. */
struct listing {
    const char *folder;
    struct store_entry *entries;
    size_t count;
    struct layer layer; /* of the current element */
};

static bool list_next(const void *owner, size_t *at, void *ret_item)
{
    struct listing *listing = (struct listing *)(uintptr_t)owner;
    struct gb_layer_info *info = ret_item;

    layer_release(&listing->layer);
    listing->layer = (struct layer){0};
    while (*at < listing->count) {
        const struct store_entry *entry = &listing->entries[(*at)++];
        struct layer *layer = &listing->layer;
        struct gb_bytes image;

        if (!store_look(listing->folder, entry->key, layer))
            continue;
        image = gb_buf_bytes(&layer->image);
        if (image.size > 0)
            image.size--; /* its newline */
        *info = (struct gb_layer_info){.key = gb_bytes_str(layer->key),
                                       .image = image,
                                       .packages = gb_buf_bytes(&layer->wanted),
                                       .contents = gb_buf_bytes(&layer->lock),
                                       .digest = gb_bytes_str(layer->digest),
                                       .bytes = store_disk_bytes(listing->folder, layer->digest),
                                       .used_at_s = (uint64_t)entry->used};
        return true;
    }
    return false;
}

void list_handle(struct request *request, const struct gb_params *params)
{
    struct listing listing = {.folder = packages_server(request->connection->server)->folder};
    const struct gb_layers_info info = {.layers = {.next = list_next, .owner = &listing}};
    struct reply reply;

    (void)params;
    listing.count = store_list(listing.folder, &listing.entries);
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_layers_object, &info);
    reply_end(&reply);
    layer_release(&listing.layer);
    free(listing.entries);
}

void list_handle_remove(struct request *request, const struct gb_params *params)
{
    const struct packages_server *state = packages_server(request->connection->server);
    char key[STORE_KEY_HEX + 1] = "";
    struct gb_err err = {0};

    if (params->name.size == STORE_KEY_HEX)
        memcpy(key, params->name.data, STORE_KEY_HEX);
    if (strspn(key, "0123456789abcdef") == STORE_KEY_HEX && store_remove(state->folder, key)) {
        request_ok(request);
        return;
    }
    (void)gb_err_set(&err, GB_ENOTFOUND, "there are no packages of that name");
    request_fail(request, &err);
}
