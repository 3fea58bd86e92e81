/* SPDX-License-Identifier: Apache-2.0 */
/* What parses is written again as it was. */
#include "snapshot/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot_manifest manifest, again;
    struct gb_buf text = {0};

    if (snapshot_manifest_parse((struct gb_bytes){data, size}, &manifest, NULL) < 0)
        return 0;
    snapshot_manifest_write(&text, &manifest);
    if (snapshot_manifest_parse(gb_buf_bytes(&text), &again, NULL) < 0 ||
        again.ram.bytes != manifest.ram.bytes || again.state.bytes != manifest.state.bytes ||
        strcmp(again.ram.sha256, manifest.ram.sha256) != 0 ||
        again.made_at_s != manifest.made_at_s || again.key.size != manifest.key.size ||
        memcmp(again.key.data, manifest.key.data, manifest.key.size) != 0)
        abort();
    gb_buf_release(&text);
    return 0;
}
