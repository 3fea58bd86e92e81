/* SPDX-License-Identifier: Apache-2.0 */
#include "netlog.h"

#include <stdlib.h>

#include "base/mem.h"
#include "journal/journal.h"
#include "model/answer.h"
#include "model/network.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/request.h"

enum { NETLOG_BYTES = 4 << 20 }; /* of a reply with more than one record */

/* A reply being assembled. It outlives its request if the connection closes. */
struct netlog {
    struct request *request; /* NULL once it has been freed */
    struct gb_buf records;
    struct gb_json_out out;
    bool begun;
};

static bool netlog_on_record(void *arg, const struct gb_network_record *record)
{
    struct netlog *log = arg;

    if (log->begun && log->records.size > NETLOG_BYTES)
        return false;
    log->begun = true;
    gb_json_object(&log->out, NULL);
    gb_object_write(&log->out, &gb_network_record_object, record);
    gb_json_end(&log->out);
    return true;
}

static void netlog_free(struct netlog *log)
{
    gb_buf_release(&log->records);
    free(log);
}

static void netlog_on_read(void *arg, uint64_t last, bool more, const struct gb_err *err)
{
    struct netlog *log = arg;
    struct gb_network_log_info info = {.next = last,
                                       .flags = more ? GB_PAGE_MORE | GB_PAGE_HAS_NEXT : 0};
    struct reply reply;

    gb_json_end(&log->out);
    info.records.written = gb_buf_bytes(&log->records);
    if (log->request != NULL && err != NULL) {
        request_fail(log->request, err);
    } else if (log->request != NULL) {
        reply_begin(&reply, log->request);
        gb_object_write(&reply.out, &gb_network_log_object, &info);
        reply_end(&reply);
    }
    netlog_free(log);
}

static void netlog_asker_gone(struct request *request)
{
    ((struct netlog *)request->arg)->request = NULL;
}

void netlog_handle(struct request *request, const struct gb_params *params,
                   struct gb_journal *journal)
{
    struct netlog *log = xcalloc(1, sizeof(*log));
    const struct gb_journal_network_query query = {.after = (uint64_t)params->after_record,
                                                   .limit = (uint32_t)params->limit,
                                                   .each = netlog_on_record,
                                                   .done = netlog_on_read,
                                                   .arg = log};
    struct gb_err err = {0};
    int r;

    log->request = request;
    log->out.buf = &log->records;
    gb_json_array(&log->out, NULL);
    if (journal == NULL)
        r = gb_err_set(&err, GB_EUNSUPPORTED, "this server keeps no journal");
    else if (gb_journal_find(journal, params->session) != NULL)
        r = gb_journal_read_network(journal, params->session, &query, &err);
    else if (hosted_find(request->connection->server, params->session, &err) == NULL)
        r = -(int)err.code;
    else
        r = gb_err_set(&err, GB_ENOTFOUND, "the journal has no records of this session");
    if (r < 0) {
        netlog_free(log);
        request_fail(request, &err);
        return;
    }
    request->arg = log;
    request->abandon = netlog_asker_gone;
}
