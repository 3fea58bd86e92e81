/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, for clients. A thread reads the records, one page for each request, and removes
 * them: it has copies of what it needs, because the request, and its server, may go meanwhile. */
#include "list.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "model/layer.h"
#include "rpc/object.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/packages/state.h"

enum { LIST_PAGE_BYTES = 256 * 1024 }; /* of JSON: then a page ends */

struct list_job {
    uv_work_t work;
    struct request *request; /* NULL: its connection has closed */
    char *folder;
    char key[GB_NAME_MAX + 1]; /* to remove; or to go on after */
    bool found, more;
    struct gb_buf layers; /* JSON */
};

static struct list_job *list_job_new(struct request *request, struct gb_bytes key)
{
    struct list_job *job = xcalloc(1, sizeof(*job));

    job->work.data = job;
    job->request = request;
    job->folder = xstrdup(packages_server(request->connection->server)->folder);
    memcpy(job->key, key.data == NULL ? "" : (const char *)key.data,
           MIN(key.size, (size_t)GB_NAME_MAX));
    request->arg = job;
    return job;
}

static void list_job_free(struct list_job *job)
{
    gb_buf_release(&job->layers);
    free(job->folder);
    free(job);
}

static void list_on_abandoned(struct request *request)
{
    ((struct list_job *)request->arg)->request = NULL;
}

static void list_start(struct list_job *job, uv_work_cb on_thread, uv_after_work_cb after)
{
    const struct gb_server *server = job->request->connection->server;
    struct gb_err err = {0};

    if (uv_queue_work(gb_loop_uv(server->loop), &job->work, on_thread, after) == 0) {
        job->request->abandon = list_on_abandoned;
        return;
    }
    (void)gb_err_set(&err, GB_EINTERNAL, "cannot start a thread to look at packages");
    request_fail(job->request, &err);
    list_job_free(job);
}

/* ---- packages.list ---- */

static void list_put(struct gb_json_out *out, const struct list_job *job,
                     const struct store_entry *entry)
{
    struct layer layer = {0};
    struct gb_layer_info info;
    struct gb_bytes image;

    if (!store_look(job->folder, entry->key, &layer))
        return;
    image = gb_buf_bytes(&layer.image);
    if (image.size > 0)
        image.size--; /* its newline */
    info = (struct gb_layer_info){.key = gb_bytes_str(layer.key),
                                  .image = image,
                                  .packages = gb_buf_bytes(&layer.wanted),
                                  .contents = gb_buf_bytes(&layer.lock),
                                  .digest = gb_bytes_str(layer.digest),
                                  .bytes = store_disk_bytes(job->folder, layer.digest),
                                  .used_at_s = (uint64_t)entry->used};
    gb_json_object(out, NULL);
    gb_object_write(out, &gb_layer_object, &info);
    gb_json_end(out);
    layer_release(&layer);
}

static void list_on_thread(uv_work_t *work)
{
    struct list_job *job = work->data;
    struct gb_json_out out = {.buf = &job->layers};
    struct store_entry *entries;
    const size_t count = store_list(job->folder, &entries);

    gb_json_array(&out, NULL);
    for (size_t i = 0; i < count && !job->more; i++) {
        if (strcmp(entries[i].key, job->key) > 0)
            list_put(&out, job, &entries[i]);
        job->more = i + 1 < count && job->layers.size >= LIST_PAGE_BYTES;
    }
    gb_json_end(&out);
    free(entries);
}

static void list_after_thread(uv_work_t *work, int status)
{
    struct list_job *job = work->data;
    const struct gb_layers_info info = {.layers = {.written = gb_buf_bytes(&job->layers)},
                                        .flags = job->more ? GB_LAYERS_MORE : 0};
    struct reply reply;

    (void)status; /* it is never cancelled */
    if (job->request != NULL) {
        reply_begin(&reply, job->request);
        gb_object_write(&reply.out, &gb_layers_object, &info);
        reply_end(&reply);
    }
    list_job_free(job);
}

void list_handle(struct request *request, const struct gb_params *params)
{
    list_start(list_job_new(request, params->after), list_on_thread, list_after_thread);
}

/* ---- packages.remove ---- */

static void list_remove_on_thread(uv_work_t *work)
{
    struct list_job *job = work->data;

    job->found = strlen(job->key) == STORE_KEY_HEX &&
                 strspn(job->key, "0123456789abcdef") == STORE_KEY_HEX &&
                 store_remove(job->folder, job->key);
}

static void list_remove_after_thread(uv_work_t *work, int status)
{
    struct list_job *job = work->data;
    struct gb_err err = {0};

    (void)status; /* it is never cancelled */
    if (job->request != NULL && job->found) {
        request_ok(job->request);
    } else if (job->request != NULL) {
        (void)gb_err_set(&err, GB_ENOTFOUND, "there are no packages of that name");
        request_fail(job->request, &err);
    }
    list_job_free(job);
}

void list_handle_remove(struct request *request, const struct gb_params *params)
{
    list_start(list_job_new(request, params->name), list_remove_on_thread,
               list_remove_after_thread);
}
