/* SPDX-License-Identifier: Apache-2.0 */
#include "packages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop.h"
#include "net/preset.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "session/query.h"
#include "server/packages/build.h"
#include "server/packages/list.h"
#include "server/packages/requirement.h"
#include "server/packages/state.h"

static void packages_server_new(struct gb_server *server)
{
    struct packages_server *state = packages_server(server);

    gb_list_init(&state->builds);
    state->indexes = gb_indexes_new(server->loop);
    state->folder = xasprintf("%s/layers", server->host->cache);
}

static void packages_server_free(struct gb_server *server)
{
    gb_loop_undefer(&packages_server(server)->turn);
    gb_indexes_free(packages_server(server)->indexes);
    free(packages_server(server)->folder);
}

/* ---- what is asked for ---- */

static int packages_compare(const void *a, const void *b)
{
    const struct gb_bytes *one = a, *other = b;
    const int order = memcmp(one->data, other->data, MIN(one->size, other->size));

    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

static int packages_read(const struct gb_json *packages, struct gb_bytes *lines, size_t *ret_count,
                         struct gb_err *err)
{
    const struct gb_json *item = gb_json_first(packages);
    size_t total = 0;
    int r = 0;

    *ret_count = packages->count;
    for (uint32_t i = 0; i < packages->count && r == 0; i++, item = gb_json_next(item)) {
        lines[i] = item->text;
        total += item->text.size + 1;
        r = requirement_check(item->text, err);
    }
    if (r == 0 && total > GB_PACKAGES_LOCK_MAX)
        r = gb_err_set(err, GB_ETOOLARGE, "packages take %zu bytes; the limit is %d", total,
                       GB_PACKAGES_LOCK_MAX);
    return r;
}

/* Where packages of an image's language come from: the number of a preset. */
static int packages_preset(const struct gb_image *image, struct gb_err *err)
{
    const int preset = gb_preset_number(gb_bytes_str(image->record->packages.network));

    if (preset < 0)
        return gb_err_set(err, GB_EUNSUPPORTED, "there are no packages of %s to be had",
                          image->record->title);
    return preset;
}

static int packages_check_open(struct gb_server *server, const struct gb_params *params,
                               struct gb_err *err)
{
    const struct gb_bytes nothing = {0};
    struct gb_bytes lines[GB_PACKAGES_MAX];
    _cleanup_(gb_buf_release) struct gb_buf index = {0};
    const struct gb_image *image;
    size_t count;
    int r, preset;

    if (params->packages == NULL || params->packages->count == 0)
        return 0;
    r = packages_read(params->packages, lines, &count, err);
    if (r < 0)
        return r;
    image = open_image(server, params->image, err);
    if (image == NULL)
        return -GB_EIMAGE;
    preset = packages_preset(image, err);
    if (preset < 0)
        return preset;
    r = gb_preset_index(preset, nothing, &index, err);
    return r == -GB_ENOTFOUND ? 0 : r; /* it may be found */
}

static void packages_take_open(struct hosted *hosted, const struct gb_params *params)
{
    struct packages_session *state = packages_of(hosted);
    struct gb_bytes lines[GB_PACKAGES_MAX];
    size_t count;

    state->hosted = hosted;
    if (params->packages == NULL || packages_read(params->packages, lines, &count, NULL) < 0)
        return;
    qsort(lines, count, sizeof(lines[0]), packages_compare);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && packages_compare(&lines[i - 1], &lines[i]) == 0)
            continue;
        gb_buf_add(&state->wanted, lines[i].data, lines[i].size);
        gb_buf_add_u8(&state->wanted, '\n');
    }
}

/* ---- before it starts ---- */

/* Takes @fd. */
static void packages_take_layer(struct hosted *hosted, const struct layer *layer, int fd)
{
    hosted->disk_fd = fd;
    hosted->packages = xstrndup((const char *)gb_buf_data(&layer->lock), layer->lock.size);
    hosted->layer = xstrdup(layer->digest);
}

/* The layer that the session waited for is there, or will never be. */
static void packages_on_ready(struct hosted *hosted, const struct layer *layer, int fd,
                              const struct gb_err *err)
{
    const int own_fd = err == NULL ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    struct gb_err full = {0};

    if (hosted->closing) {
        (void)gb_close(own_fd);
        return;
    }
    if (err == NULL && own_fd < 0) {
        (void)gb_err_set(&full, GB_ECAPACITY, "the server has too many files open");
        err = &full;
    }
    if (err != NULL) {
        gb_session_fail(hosted->session, err);
        return;
    }
    packages_take_layer(hosted, layer, own_fd);
    hosted_go_on(hosted);
}

/* A thread that looks whether the layer is there. The end of its session waits for it. */
struct look {
    uv_work_t work;
    struct hosted *hosted;
    const char *folder;
    char *index;
    uint64_t made; /* by the server's builds when it began */
    struct layer layer;
    int fd;
};

static void packages_look_on_thread(uv_work_t *work)
{
    struct look *look = work->data;

    look->fd = store_open(look->folder, packages_of(look->hosted)->key, &look->layer, NULL);
}

static void packages_end_look(struct look *look)
{
    struct hosted *hosted = look->hosted;

    layer_release(&look->layer);
    free(look->index);
    free(look);
    hosted_allow_end(hosted);
}

static void packages_after_look(uv_work_t *work, int status);

static void packages_begin_look(struct look *look)
{
    struct packages_server *state = packages_server(look->hosted->server);
    struct gb_err err = {0};

    look->made = state->made;
    if (uv_queue_work(gb_loop_uv(look->hosted->server->loop), &look->work, packages_look_on_thread,
                      packages_after_look) == 0)
        return;
    (void)gb_err_set(&err, GB_EINTERNAL, "cannot start a thread to look for packages");
    gb_session_fail(look->hosted->session, &err);
    packages_end_look(look);
}

static void packages_after_look(uv_work_t *work, int status)
{
    struct look *look = work->data;
    struct hosted *hosted = look->hosted;

    (void)status; /* it is never cancelled */
    if (hosted->closing) {
        (void)gb_close(look->fd);
    } else if (look->fd >= 0) {
        packages_take_layer(hosted, &look->layer, look->fd);
        hosted_go_on(hosted);
    } else if (look->made != packages_server(hosted->server)->made) {
        packages_begin_look(look); /* it may have been made since the thread looked */
        return;
    } else {
        build_join(hosted, packages_of(hosted)->key, look->index, packages_on_ready);
    }
    packages_end_look(look);
}

static void packages_look(struct hosted *hosted, const char *index)
{
    struct look *look = xcalloc(1, sizeof(*look));

    look->work.data = look;
    look->hosted = hosted;
    look->folder = packages_server(hosted->server)->folder;
    look->index = xstrdup(index);
    hosted_delay_end(hosted);
    packages_begin_look(look);
}

static void packages_make_key(struct hosted *hosted, const struct gb_buf *index)
{
    const struct gb_image *image = gb_session_image(hosted->session);
    struct packages_session *state = packages_of(hosted);
    _cleanup_(gb_buf_release) struct gb_buf request = {0};

    gb_buf_addf(&request, "image %s\nlanguage %s\nindex ", image->sha256, image->language);
    gb_buf_add(&request, gb_buf_data(index), index->size);
    gb_buf_adds(&request, "\n");
    gb_buf_add(&request, gb_buf_data(&state->wanted), state->wanted.size);
    store_key(gb_buf_bytes(&request), state->key);
}

/* With what the package manager says. hosted_go_on() follows, or its end. */
static void packages_prepare(struct hosted *hosted, int preset)
{
    const struct gb_preset_known known =
        gb_indexes_known(packages_server(hosted->server)->indexes, preset);
    _cleanup_(gb_buf_release) struct gb_buf index = {0};
    struct gb_err err = {0};

    if (gb_preset_index(preset, known.said, &index, &err) < 0) {
        if (err.code == GB_ENOTFOUND) /* of an index; it is no session that is missing */
            err.code = GB_EINVALID;
        gb_session_fail(hosted->session, &err);
        return;
    }
    packages_make_key(hosted, &index);
    packages_look(hosted, gb_buf_str(&index));
}

static int packages_preset_of(struct hosted *hosted)
{
    return gb_preset_number(
        gb_bytes_str(gb_session_image(hosted->session)->record->packages.network));
}

static void packages_on_told(void *arg)
{
    struct hosted *hosted = arg;

    if (!hosted->closing)
        packages_prepare(hosted, packages_preset_of(hosted));
}

static bool packages_on_preparing(struct hosted *hosted)
{
    struct packages_session *state = packages_of(hosted);
    const struct gb_bytes nothing = {0};
    _cleanup_(gb_buf_release) struct gb_buf index = {0};
    int preset;

    if (state->wanted.size == 0)
        return false;
    preset = packages_preset_of(hosted); /* it was checked that there is one */
    if (gb_preset_index(preset, nothing, &index, NULL) == -GB_ENOTFOUND &&
        !gb_indexes_ask(packages_server(hosted->server)->indexes, preset, &state->told,
                        packages_on_told, hosted))
        return true;
    packages_prepare(hosted, preset);
    return true;
}

static int packages_open_again(struct gb_server *server, struct gb_bytes layer, struct gb_err *err)
{
    return store_open_layer(packages_server(server)->folder, layer, err);
}

/* ---- into its VM ---- */

static void packages_give_up(struct hosted *hosted, const struct gb_err *err)
{
    if (hosted->closing || gb_session_state(hosted->session) == GB_SESSION_CLOSED)
        return;
    gb_warning("%s: its packages cannot be mounted: %s", gb_session_id(hosted->session),
               err->message);
    gb_session_fail(hosted->session, err);
}

static void packages_on_mounted(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    if (err != NULL) {
        packages_give_up(hosted, err);
        return;
    }
    PART_CALL(hosted->server, record_session, hosted);
    gb_session_delay(hosted->session, false);
    hosted_allow_ready(hosted);
}

static void packages_on_attached(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;
    struct gb_err problem = {0};

    if (err == NULL &&
        gb_session_mount_packages(hosted->session, packages_on_mounted, hosted, &problem) < 0)
        err = &problem;
    if (err != NULL)
        packages_give_up(hosted, err);
}

static void packages_on_opened(struct hosted *hosted)
{
    struct packages_session *state = packages_of(hosted);

    if (state->builds != NULL) {
        build_on_opened(hosted);
        return;
    }
    if (hosted->disk_fd < 0 || state->wanted.size == 0) /* a fork has it mounted */
        return;
    hosted_delay_ready(hosted);
    gb_session_delay(hosted->session, true);
    gb_vm_attach(gb_session_vm(hosted->session), hosted->disk_fd, packages_on_attached, hosted);
}

/* ---- its end ---- */

static void packages_on_closed(struct hosted *hosted)
{
    if (packages_of(hosted)->builds != NULL)
        build_on_closed(hosted, &hosted->why);
    build_leave(hosted);
}

static void packages_on_ended(struct hosted *hosted, const struct gb_err *why)
{
    struct packages_session *state = packages_of(hosted);

    (void)why;
    gb_indexes_forget(&state->told);
    if (state->is_builder)
        build_on_ended(hosted);
    gb_buf_release(&state->wanted);
}

static const struct method_handler packages_methods[] = {
    {"packages.list", list_handle},
    {"packages.remove", list_handle_remove},
    {NULL, NULL},
};

static const char *const packages_event_kinds[] = {"session.preparing", NULL};

const struct gb_part packages_part = {
    .name = "packages",
    .methods = packages_methods,
    .event_kinds = packages_event_kinds,
    .state = &packages_sizes,
    .server_new = packages_server_new,
    .server_free = packages_server_free,
    .check_open = packages_check_open,
    .take_open = packages_take_open,
    .session_preparing = packages_on_preparing,
    .open_layer = packages_open_again,
    .session_opened = packages_on_opened,
    .session_closed = packages_on_closed,
    .session_ended = packages_on_ended,
};
