/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include "base/limits.h"
#include "base/log.h"
#include "show/facts.h"
#include "show/words.h"

enum { TRAFFIC_RULES_MAX = 300 };

static void traffic_target(struct gb_buf *to, const struct gb_network_record *record)
{
    struct gb_bytes host = record->name.size > 0 ? record->name : record->address;

    gb_escape(to, host, GB_NETWORK_HOST_MAX);
    if (record->port > 0)
        gb_buf_addf(to, ":%u", record->port);
    if (record->name.size > 0 && record->address.size > 0) {
        gb_buf_adds(to, " (");
        gb_escape(to, record->address, GB_NETWORK_HOST_MAX);
        gb_buf_adds(to, ")");
    }
}

static void traffic_figures(struct gb_buf *to, const struct gb_network_record *record)
{
    char in[16], out[16];

    words_size(in, sizeof(in), (double)record->received);
    words_size(out, sizeof(out), (double)record->sent);
    gb_buf_addf(to, ", %s in, %s out", in, out);
}

static void traffic_text(struct gb_buf *to, const char *before, struct gb_bytes text, size_t most)
{
    if (text.size == 0)
        return;
    gb_buf_adds(to, before);
    gb_escape(to, text, most);
}

/* Rules stand on lines. */
static void traffic_rules(struct gb_buf *to, struct gb_bytes rules)
{
    const char *before = ": ";
    struct gb_bytes line;

    for (size_t begin = to->size; gb_bytes_line(&rules, &line);) {
        if (to->size - begin > TRAFFIC_RULES_MAX) {
            gb_buf_adds(to, "; …");
            return;
        }
        gb_buf_adds(to, before);
        gb_escape(to, line, TRAFFIC_RULES_MAX);
        before = "; ";
    }
}

void traffic_line(struct gb_buf *to, const struct gb_network_record *record)
{
    char duration[32];

    if (record->cell > 0)
        gb_buf_addf(to, "[%u] ", record->cell);
    switch ((enum gb_network_entry)record->kind) {
    case GB_NETWORK_CONNECTION:
        words_duration(duration, sizeof(duration), facts_ms(record->duration_ns));
        traffic_target(to, record);
        traffic_figures(to, record);
        gb_buf_addf(to, ", %s", duration);
        traffic_text(to, ", broken: ", record->reason, GB_NETWORK_REASON_MAX);
        break;
    case GB_NETWORK_DENIED:
        traffic_target(to, record);
        traffic_text(to, ", refused: ", record->reason, GB_NETWORK_REASON_MAX);
        break;
    case GB_NETWORK_POLICY:
        traffic_text(to, "network ", record->name, GB_NETWORK_HOST_MAX);
        traffic_text(to, ", set by ", record->client, GB_NAME_MAX);
        traffic_rules(to, record->rule);
        break;
    case GB_NETWORK_ANSWER:
        traffic_target(to, record);
        traffic_text(to, ", asked and answered: ", record->reason, GB_NETWORK_REASON_MAX);
        traffic_text(to, ", by ", record->client, GB_NAME_MAX);
        break;
    case GB_NETWORK_PORT:
        gb_buf_addf(to, "port %u", record->port);
        traffic_text(to, " at ", record->address, GB_NETWORK_HOST_MAX);
        traffic_text(to, " ", record->reason, GB_NETWORK_REASON_MAX);
        traffic_text(to, " by ", record->client, GB_NAME_MAX);
        break;
    case GB_NETWORK_VISIT:
        words_duration(duration, sizeof(duration), facts_ms(record->duration_ns));
        gb_buf_addf(to, "port %u", record->port);
        traffic_text(to, " from ", record->address, GB_NETWORK_HOST_MAX);
        traffic_figures(to, record);
        gb_buf_addf(to, ", %s", duration);
        traffic_text(to, ", broken: ", record->reason, GB_NETWORK_REASON_MAX);
        break;
    case GB_NETWORK_END:
        gb_buf_adds(to, "all connections");
        traffic_figures(to, record);
        break;
    case GB_NETWORK_REQUEST:
        traffic_target(to, record);
        traffic_text(to, ", ", record->rule, GB_NETWORK_RULE_MAX);
        traffic_text(to, ", refused: ", record->reason, GB_NETWORK_REASON_MAX);
        break;
    case GB_NETWORK_ENTRY_COUNT:
        break;
    }
    if (record->left_out > 0)
        gb_buf_addf(to, " (%llu records before this one were left out)",
                    (unsigned long long)record->left_out);
}
