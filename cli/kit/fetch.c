/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fetch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/app.h"
#include "kit/transfer.h"
#include "model/answer.h"
#include "model/entry.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { DEADLINE_MS = 120000, PAGE = 1000 };

/* A path in the guest and its local path. */
struct place {
    char *remote, *local;
};

struct places {
    struct place *list;
    size_t count, capacity, next;
};

struct fetch {
    struct gb_client *client;
    struct fetch_config config;
    char *session;
    struct places folders, files;
    char *next; /* where a listing continues, as sent by the server; NULL: at its start */
    uint64_t call;
    struct transfer *transfer;
    size_t left_behind;
};

static void fetch_next_step(struct fetch *fetch);

static void fetch_add_place(struct places *places, char *remote, char *local)
{
    if (places->count == places->capacity) {
        size_t capacity = MAX(places->capacity * 2, (size_t)16);
        struct place *list = xcalloc(capacity, sizeof(*list));

        if (places->count > 0)
            memcpy(list, places->list, places->count * sizeof(*list));
        free(places->list);
        places->list = list;
        places->capacity = capacity;
    }
    places->list[places->count++] = (struct place){remote, local};
}

static void fetch_release_places(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->list[i].remote);
        free(places->list[i].local);
    }
    free(places->list);
}

void fetch_cancel(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    gb_client_forget(fetch->client, fetch->call);
    transfer_cancel(fetch->transfer);
    fetch_release_places(&fetch->folders);
    fetch_release_places(&fetch->files);
    free(fetch->session);
    free(fetch->next);
    free(fetch);
}

static void fetch_finish(struct fetch *fetch, const struct gb_err *err)
{
    struct fetch_config config = fetch->config;

    if (err == NULL && fetch->left_behind > 0)
        app_say(fetch->left_behind == 1
                    ? "%zu symbolic link or special file below %s was left behind"
                    : "%zu symbolic links or special files below %s were left behind",
                fetch->left_behind, fetch->folders.list[0].remote);
    fetch_cancel(fetch);
    config.finished(config.arg, err);
}

static void fetch_fail_call(struct fetch *fetch, const char *remote,
                            const struct gb_call_error *error)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, error->code, "%s: %s", remote, error->message);
    fetch_finish(fetch, &err);
}

static void fetch_ask(struct fetch *fetch, const char *method, const char *path, gb_reply_cb *reply)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", fetch->session);
    gb_json_put_bytes(&out, "path", "path_base64", gb_bytes_str(path));
    if (strcmp(method, "file.list") == 0) {
        gb_json_put_u64(&out, "limit", PAGE);
        if (fetch->next != NULL)
            gb_json_put_str(&out, "next", fetch->next);
    }
    gb_json_end(&out);
    fetch->call = gb_client_call(fetch->client, method, &params, DEADLINE_MS, reply, fetch);
    gb_buf_release(&params);
}

/* ---- files ---- */

static void fetch_on_progress(void *arg, uint64_t done, uint64_t size)
{
    const struct fetch *fetch = arg;

    if (fetch->config.progress != NULL)
        fetch->config.progress(fetch->config.arg, done, size);
}

static void fetch_on_transferred(void *arg, const struct gb_err *err)
{
    struct fetch *fetch = arg;

    fetch->transfer = NULL;
    if (err != NULL)
        fetch_finish(fetch, err);
    else
        fetch_next_step(fetch);
}

static void fetch_file(struct fetch *fetch, const struct place *place)
{
    const struct transfer_config config = {
        .session = fetch->session,
        .local = place->local,
        .remote = place->remote,
        .progress = fetch_on_progress,
        .finished = fetch_on_transferred,
        .arg = fetch,
    };
    struct gb_err err = {0};

    fetch->transfer = transfer_download(fetch->client, &config, &err);
    if (fetch->transfer == NULL)
        fetch_finish(fetch, &err);
}

/* ---- folders ---- */

/* Whether it is a single path component that does not lead elsewhere. */
static bool fetch_is_name(struct gb_bytes name)
{
    return name.size > 0 && name.size <= GB_FILE_NAME_MAX &&
           memchr(name.data, '/', name.size) == NULL &&
           memchr(name.data, '\0', name.size) == NULL && !gb_bytes_equal(name, ".") &&
           !gb_bytes_equal(name, "..");
}

static int fetch_add_place_below(struct fetch *fetch, const struct place *folder,
                                 struct gb_bytes name, bool is_folder, struct gb_err *err)
{
    char *remote;

    if (is_folder ? fetch->folders.count >= FETCH_FOLDERS_MAX
                  : fetch->files.count >= FETCH_FILES_MAX)
        return gb_err_set(err, GB_ETOOLARGE,
                          "%s has more than %d files or folders: pack them into one file first",
                          fetch->folders.list[0].remote, FETCH_FILES_MAX);
    remote = xasprintf("%s/%.*s", folder->remote, (int)name.size, (const char *)name.data);
    if (strlen(remote) > GB_PATH_MAX) {
        (void)gb_err_set(err, GB_ETOOLARGE, "a path below %s is longer than %u bytes",
                         fetch->folders.list[0].remote, GB_PATH_MAX);
        free(remote);
        return -GB_ETOOLARGE;
    }
    fetch_add_place(is_folder ? &fetch->folders : &fetch->files, remote,
                    xasprintf("%s/%.*s", folder->local, (int)name.size, (const char *)name.data));
    return 0;
}

static int fetch_add_entry(struct fetch *fetch, const struct place *folder,
                           const struct gb_entry_info *told, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf name = {0};
    const bool is_folder = told->type == GB_ENTRY_DIR;

    if (!gb_bytes_add_decoded(&name, told->name, (told->flags & GB_ENTRY_BASE64) != 0) ||
        !fetch_is_name(gb_buf_bytes(&name)))
        return gb_err_set(err, GB_EINTERNAL, "the listing of %s contains an invalid name",
                          folder->remote);
    if (is_folder || told->type == GB_ENTRY_FILE)
        return fetch_add_place_below(fetch, folder, gb_buf_bytes(&name), is_folder, err);
    if (++fetch->left_behind > FETCH_LEFT_BEHIND_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "%s has more than %d links and special files",
                          fetch->folders.list[0].remote, FETCH_LEFT_BEHIND_MAX);
    return 0;
}

/* Adds a page's entries; requires at least one if more are to come, so that a walk terminates. */
static int fetch_add_page(struct fetch *fetch, const struct place *folder,
                          const struct gb_json *result, struct gb_err *err)
{
    struct gb_listing_info listing;
    struct gb_entry_info entry;
    int r = 0;

    gb_object_take(&gb_listing_object, result, &listing);
    for (size_t at = 0;
         r == 0 && gb_items_next(&gb_entry_object, &listing.entries, &at, &entry) == 1;)
        r = fetch_add_entry(fetch, folder, &entry, err);
    free(TAKE_PTR(fetch->next));
    if (r < 0 || (listing.flags & GB_PAGE_MORE) == 0)
        return r;
    if (gb_items_count(&listing.entries) == 0 || listing.next.size == 0)
        return gb_err_set(err, GB_EINTERNAL,
                          "the server did not say how to continue the "
                          "listing of %s",
                          folder->remote);
    fetch->next = xstrndup((const char *)listing.next.data, listing.next.size);
    return 0;
}

static void fetch_on_listed(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct fetch *fetch = arg;
    /* A copy, because the list grows while it is read. */
    const struct place folder = fetch->folders.list[fetch->folders.next];
    struct gb_err err = {0};

    if (error != NULL) {
        fetch_fail_call(fetch, folder.remote, error);
        return;
    }
    if (fetch_add_page(fetch, &folder, result, &err) < 0) {
        fetch_finish(fetch, &err);
        return;
    }
    if (fetch->next != NULL) {
        fetch_ask(fetch, "file.list", folder.remote, fetch_on_listed);
        return;
    }
    fetch->folders.next++;
    fetch_next_step(fetch);
}

static void fetch_list_folder(struct fetch *fetch, const struct place *folder)
{
    struct gb_err err = {0};
    struct stat status;

    if (mkdir(folder->local, 0777) == 0 ||
        (errno == EEXIST && stat(folder->local, &status) == 0 && S_ISDIR(status.st_mode))) {
        fetch_ask(fetch, "file.list", folder->remote, fetch_on_listed);
        return;
    }
    if (errno == EEXIST || errno == ENOTDIR)
        (void)gb_err_set(&err, GB_EINVALID, "%s is a folder, and %s cannot be one", folder->remote,
                         folder->local);
    else
        (void)gb_err_sys(&err, errno, "cannot make the folder %s", folder->local);
    fetch_finish(fetch, &err);
}

static void fetch_next_step(struct fetch *fetch)
{
    if (fetch->folders.next < fetch->folders.count)
        fetch_list_folder(fetch, &fetch->folders.list[fetch->folders.next]);
    else if (fetch->files.next < fetch->files.count)
        fetch_file(fetch, &fetch->files.list[fetch->files.next++]);
    else
        fetch_finish(fetch, NULL);
}

static void fetch_on_stat(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct fetch *fetch = arg;
    struct place *root = &fetch->folders.list[0];
    struct gb_entry_info told;
    struct gb_err err = {0};

    if (error != NULL) {
        fetch_fail_call(fetch, root->remote, error);
        return;
    }
    if (gb_object_read(&gb_entry_object, result, &told, &err) < 0) {
        fetch_finish(fetch, &err);
        return;
    }
    if (told.type != GB_ENTRY_DIR) {
        fetch_add_place(&fetch->files, xstrdup(root->remote), xstrdup(root->local));
        fetch->folders.next = fetch->folders.count;
    }
    fetch_next_step(fetch);
}

struct fetch *fetch_start(struct gb_client *client, const struct fetch_config *config)
{
    struct fetch *fetch = xcalloc(1, sizeof(*fetch));

    fetch->client = client;
    fetch->config = *config;
    fetch->session = xstrdup(config->session);
    fetch_add_place(&fetch->folders, xstrdup(config->remote), xstrdup(config->local));
    fetch_ask(fetch, "file.stat", config->remote, fetch_on_stat);
    return fetch;
}
