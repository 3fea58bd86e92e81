/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a program sends to the name server: what is read can be answered. */
#include "parse/dns.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t address[4] = {198, 18, 0, 2};
    struct gb_bytes message = {data, size};
    struct dns_query query;
    uint8_t answer[DNS_MAX];
    int code = dns_read(message, &query);

    if (code < 0)
        return 0;
    assert(query.size <= size);
    assert(dns_answer(message, &query, code, address, 30, answer) <= sizeof(answer));
    return 0;
}
