/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever stands under [secret "NAME"]: an error with a line, or a secret that is complete. */
#include "net/secret.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_secret secret;
    struct gb_err err = {0};

    if (gb_secret_parse(&secret, "NAME", (struct gb_bytes){data, size}, &err) == 0) {
        assert(secret.host_count > 0 && secret.host_count <= GB_SECRET_HOSTS_MAX);
        assert(secret.source != GB_SECRET_NOWHERE && secret.origin[0] != '\0');
        assert(secret.where < GB_SECRET_IN_NOTHING);
        assert((secret.key[0] != '\0') == (secret.where >= GB_SECRET_IN_HEADER));
        assert(gb_secret_check_both(&secret, &secret, &err) == -GB_EINVALID);
    } else {
        assert(err.message[0] != '\0');
    }
    gb_secret_release(&secret);
    return 0;
}
