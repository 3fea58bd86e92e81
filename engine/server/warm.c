/* SPDX-License-Identifier: Apache-2.0 */
/* image.warm: makes a template before anybody needs it. */
#include <stdlib.h>

#include "server/internal.h"

struct warming {
    struct request *request;
    struct gb_template_waiter waiter;
};

static void reply_template(struct request *request, const struct gb_snapshot *template)
{
    struct reply reply;

    reply_begin(&reply, request);
    gb_json_put_str(&reply.out, "image", template->image->name);
    gb_json_put_u64(&reply.out, "memory_mb", template->memory_mb);
    gb_json_put_u64(&reply.out, "bytes", template->files.disk_bytes);
    gb_json_put_u64(&reply.out, "made_at", template->files.made_at_s);
    reply_end(&reply);
}

static void on_template(void *arg, struct gb_snapshot *template, const struct gb_err *err)
{
    struct warming *warming = arg;

    if (template != NULL)
        reply_template(warming->request, template);
    else
        request_fail(warming->request, err);
    free(warming);
}

static void asker_gone(struct request *request)
{
    struct warming *warming = request->arg;

    gb_templates_cancel(&warming->waiter);
    free(warming);
}

void handle_warm(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct warming *warming = xcalloc(1, sizeof(*warming));
    struct gb_snapshot *template = NULL;
    const struct gb_image *image = NULL;
    struct gb_err err = {0};
    int r = server_check_open(server, &err);

    if (r == 0)
        r = hosted_check_memory(params->memory_mb, &err);
    if (r == 0 && (image = hosted_image(server, params->image, &err)) == NULL)
        r = -(int)err.code;
    warming->request = request;
    request->arg = warming;
    request->abandon = asker_gone;
    if (image != NULL)
        r = gb_templates_get(server->room->templates, image,
                             params->memory_mb > 0 ? (uint32_t)params->memory_mb : image->memory_mb,
                             true, &template, &warming->waiter, on_template, warming, &err);
    if (r == 0)
        return;
    request->abandon = NULL;
    free(warming);
    if (template != NULL)
        reply_template(request, template);
    else
        request_fail(request, &err);
}
