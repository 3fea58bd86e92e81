/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever passes for the head of a request: with a secret in it, it still is one, with the same
 * method and path; and without the placeholder nothing of the secret is in it. */
#include "edge/place.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct place_pass {
    struct gb_placed *placed;
    size_t count;
    struct gb_buf out;
};

static bool place_on_head(struct gb_http *http, struct gb_bytes head, struct gb_buf *pass)
{
    struct place_pass *at = http->arg;
    struct gb_place_found found;

    gb_buf_clear(&at->out);
    gb_place_head(head, at->placed, at->count, &found, &at->out);
    gb_buf_add(pass, gb_buf_data(&at->out), at->out.size);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_placed placed[] = {
        {"A", "HOLDERA", GB_SECRET_BEARER, "", gb_bytes_str("SECRETVALUE"), false, false, false},
        {"B", "HOLDERB", GB_SECRET_BASIC, "", gb_bytes_str("SECRETVALUE"), false, false, false},
        {"C", "HOLDERC", GB_SECRET_HEADER, "x-key", gb_bytes_str("SECRETVALUE"), false, false,
         false},
        {"D", "HOLDERD", GB_SECRET_QUERY, "key", gb_bytes_str("SECRETVALUE"), false, false, false},
    };
    struct place_pass pass = {placed, ARRAY_SIZE(placed), {0}};
    struct gb_http first = {.name = "a.example", .port = 443, .tls = true};
    struct gb_http second = first;
    struct gb_buf once = {0}, twice = {0};
    bool used = false;

    first.on_head = place_on_head;
    first.arg = &pass;
    if (gb_http_feed(&first, (struct gb_bytes){data, size}, &once))
        assert(gb_http_feed(&second, gb_buf_bytes(&once), &twice));
    for (size_t i = 0; i < ARRAY_SIZE(placed); i++)
        used = used || placed[i].used;
    assert(used || memmem(data, size, "SECRETVALUE", 11) != NULL ||
           memmem(gb_buf_data(&once), once.size, "SECRETVALUE", 11) == NULL);
    gb_http_release(&first);
    gb_http_release(&second);
    gb_buf_release(&once);
    gb_buf_release(&twice);
    gb_buf_release(&pass.out);
    return 0;
}
