/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that outlive their server: what is written about them, and another server that takes
 * them up.
 *
 * Theory of operation. When a session falls asleep, its chain gets a mark (past/mark.h) with a note
 * (note.h), before its VM ends; when it is woken the mark becomes that of a session that is awake,
 * which is on disk before the session continues. A session that is awake gets such a mark whenever
 * its last checkpoint is another one. So the note of one that sleeps describes it as it is,
 * whenever the server ends, also by a power cut; one that was awake is taken back to its last
 * checkpoint, which begins another epoch: what followed is undone. At its start a server takes up
 * each session whose note it can read, one after the other, and removes the chains that have none;
 * clients are accepted when all are there, so that nobody opens one anew with the same key. All are
 * asleep then. What cannot be taken up is left where it is, the log says why, and so does whatever
 * a client asks of it.
 *
 * A state can only be loaded by the QEMU, processor, kernel and images with which it was saved: the
 * description of the template says which, and is compared before each wake.
 */
#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "past/mark.h"
#include "platform/file.h"
#include "server/checkpoint/lock.h"
#include "server/checkpoint/note.h"
#include "server/checkpoint/state.h"
#include "server/core/state.h"

/* One that was not taken up. */
struct missing {
    struct gb_list link;
    char *path; /* of its chain, whose name is the session's id */
    uint64_t bytes;
    struct gb_err why;
    uv_work_t work;           /* of its removal */
    struct folder_lock *lock; /* during that */
    struct request *request;  /* for that; NULL: nobody waits any more */
};

/* One that may be. */
struct noted {
    struct gb_list link;
    char *path;        /* of its chain */
    bool awake;        /* it was when its server ended */
    struct gb_err why; /* nothing is known about its mark; code GB_OK: it has one */
};

/* ---- what a session depends on ---- */

/* The first line that differs. */
static void restore_say_difference(const char *before, const char *now, struct gb_err *err)
{
    size_t before_size = strcspn(before, "\n"), now_size = strcspn(now, "\n");

    while (before[0] != '\0' && before_size == now_size &&
           strncmp(before, now, before_size + 1) == 0) {
        before += before_size + 1;
        now += now_size + 1;
        before_size = strcspn(before, "\n");
        now_size = strcspn(now, "\n");
    }
    (void)gb_err_set(
        err, GB_EGONE,
        "the session cannot be woken here: it was put to sleep with \"%.*s\", and "
        "this server has \"%.*s\"; a server that is started as that one was can wake it",
        (int)MIN(before_size, 120), before, (int)MIN(now_size, 120), now);
}

bool restore_fits(struct hosted *hosted, struct gb_err *err)
{
    const char *before = checkpoint_of(hosted)->template;
    _cleanup_(gb_buf_release) struct gb_buf now = {0};

    if (before == NULL)
        return true;
    if (checkpoint_describe(hosted, &now, err) < 0)
        return false;
    if (strcmp(before, gb_buf_str(&now)) == 0)
        return true;
    restore_say_difference(before, gb_buf_str(&now), err);
    return false;
}

/* ---- writing a note ---- */

static bool restore_next_life(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_lives *lives = owner;
    struct note_life *life = ret_item;

    if (*at >= lives->count)
        return false;
    *life = (struct note_life){.from_epoch = lives->all[*at].from_epoch,
                               .from_cell = lives->all[*at].from_cell,
                               .cells_before = lives->all[*at].cells_before};
    (*at)++;
    return true;
}

static bool restore_next_name(const void *owner, size_t *at, void *ret_item)
{
    size_t count;
    const struct gb_past_moment *moments = gb_past_moments(owner, &count);
    struct note_name *name = ret_item;

    while (*at < count && moments[*at].name == NULL)
        (*at)++;
    if (*at >= count)
        return false;
    *name = (struct note_name){.seq = moments[*at].seq, .name = gb_bytes_str(moments[*at].name)};
    (*at)++;
    return true;
}

static bool restore_next_setting(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_env *env = owner;
    struct note_setting *setting = ret_item;

    if (*at >= env->count)
        return false;
    *setting = (struct note_setting){.name = gb_bytes_str(env->names[*at]),
                                     .value = gb_bytes_str(env->values[*at])};
    (*at)++;
    return true;
}

/* Absent if it is empty. */
static struct gb_bytes restore_saved(const struct gb_buf *text)
{
    if (text->size == 0)
        return (struct gb_bytes){0};
    return gb_buf_bytes(text);
}

void restore_write(struct hosted *hosted, struct gb_buf *text)
{
    _cleanup_(saved_release) struct saved_session saved = {0};
    const struct checkpoint_session *state = checkpoint_of(hosted);
    const struct gb_session_config config = gb_session_config_of(hosted->session);
    struct note note = {
        .version = NOTE_VERSION,
        .id = gb_bytes_str(gb_session_id(hosted->session)),
        .image = gb_bytes_str(config.image->name),
        .key = gb_bytes_str(hosted->key),
        .label = gb_bytes_str(hosted->label),
        .owner = gb_bytes_str(hosted->owner),
        .client = gb_bytes_str(hosted->client),
        .origin = gb_bytes_str(hosted->origin.session),
        .origin_checkpoint = hosted->origin.checkpoint,
        .origin_cell = hosted->origin.cell,
        .packages = gb_bytes_str(hosted->packages),
        .layer = gb_bytes_str(hosted->layer),
        .checkpoints = gb_bytes_str(state->has_policy ? note_policies[state->policy] : NULL),
        .template = gb_bytes_str(state->template),
        .epoch = gb_session_epoch(hosted->session),
        .here = gb_past_here(state->past),
        .idle_ms = config.idle_ms,
        .lifetime_ms = config.lifetime_ms,
        .created_at_ns = hosted->created_at_ns,
        .slept_at_ns = gb_clock_wall_ns(),
        .memory_mb = config.memory_mb,
        .timeout_ms = config.timeout_ms,
        .cells = gb_session_cells(hosted->session),
        .incarnation = gb_session_incarnation(hosted->session),
        .incarnation_before = hosted->incarnation_before,
        .lives = {.next = restore_next_life, .owner = &state->lives},
        .names = {.next = restore_next_name, .owner = state->past},
        .env = {.next = restore_next_setting, .owner = config.env},
    };

    PART_CALL(hosted->server, save_session, hosted, &saved);
    note.network = restore_saved(&saved.network);
    note.policy = restore_saved(&saved.policy);
    note.rules = restore_saved(&saved.rules);
    note.secrets = restore_saved(&saved.secrets);
    note_write(text, &note);
}

/* ---- taking up ---- */

static char *restore_copy(struct gb_bytes text)
{
    return text.data == NULL ? NULL : xstrndup((const char *)text.data, text.size);
}

/* What is left of @limit_ms since then; 0: no limit. */
static uint64_t restore_left_ms(uint64_t limit_ms, uint64_t since_ns)
{
    const uint64_t now_ns = gb_clock_wall_ns();
    const uint64_t gone_ms = now_ns > since_ns ? (now_ns - since_ns) / GB_NS_PER_MS : 0;

    if (limit_ms == 0)
        return 0;
    return limit_ms > gone_ms ? limit_ms - gone_ms : 1;
}

static int restore_env(const struct gb_server *server, const struct note *note, struct gb_env *env,
                       struct gb_err *err)
{
    struct note_setting setting;
    size_t at = 0;
    int r = 0;

    while (r == 0 && note_next_setting(note, &at, &setting) == 1)
        r = gb_env_add(env, &server->host->images->languages, setting.name, setting.value, err);
    return r;
}

/* How long it may be asleep. One that was awake begins to sleep now, whenever its last checkpoint
 * was, and has no other limit than before. */
static uint64_t restore_asleep_ms(const struct gb_server *server, const struct note *note,
                                  bool awake)
{
    const uint64_t most_ms = server->settings.past.asleep_ms;

    if (awake)
        return most_ms > 0 ? most_ms : note->idle_ms;
    return restore_left_ms(most_ms, note->slept_at_ns);
}

static void restore_read_saved(const struct note *note, struct saved_session *ret_saved)
{
    gb_buf_add(&ret_saved->network, note->network.data, note->network.size);
    gb_buf_add(&ret_saved->policy, note->policy.data, note->policy.size);
    gb_buf_add(&ret_saved->rules, note->rules.data, note->rules.size);
    gb_buf_add(&ret_saved->secrets, note->secrets.data, note->secrets.size);
}

/* What was behind its spare disk. */
static int restore_layer(struct gb_server *server, const char *id, struct gb_bytes layer,
                         struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s", checkpoint_of_server(server)->folder, id);
    const int fd = gb_past_open_layer(path);

    return fd >= 0 ? fd : part_open_layer(server, layer, err);
}

/* @ret_disk_fd: for its past. */
static int restore_hosted(struct gb_server *server, const struct note *note, bool awake,
                          struct hosted **ret_hosted, int *ret_disk_fd, struct gb_err *err)
{
    _cleanup_(gb_env_release) struct gb_env env = {0};
    _cleanup_(freep) char *id = restore_copy(note->id);
    _cleanup_(freep) char *image = restore_copy(note->image);
    _cleanup_(saved_release) struct saved_session saved = {0};
    const struct gb_session_config config = {
        .image = gb_host_find_image(server->host, image),
        .memory_mb = note->memory_mb,
        .timeout_ms = note->timeout_ms,
        .idle_ms = note->idle_ms,
        .lifetime_ms = note->lifetime_ms,
        .env = &env,
    };
    const struct gb_session_restored restored = {
        .id = id,
        /* Cells that were refused since then have numbers too, and those that were executed. */
        .cells = MAX(note->cells, part_last_cell(server, note->id)),
        .incarnation = note->incarnation,
        .epoch = awake ? note->epoch + 1 : note->epoch,
        .lifetime_left_ms = restore_left_ms(note->lifetime_ms, note->created_at_ns),
        .asleep_left_ms = restore_asleep_ms(server, note, awake),
    };
    _cleanup_(closep) int disk_fd = -1, past_fd = -1;
    int r = restore_env(server, note, &env, err);

    restore_read_saved(note, &saved);
    if (r == 0)
        r = part_check_saved(server, &saved, err);
    if (r == 0 && note->key.data != NULL && hosted_by_key(server, note->key, false) != NULL)
        r = gb_err_set(err, GB_EINVALID, "another session has its key");
    if (r == 0 && config.image == NULL)
        r = gb_err_set(err, GB_EIMAGE, "there is no image \"%.64s\"", image);
    if (r == 0 && note->layer.data != NULL) {
        disk_fd = restore_layer(server, id, note->layer, err);
        r = MIN(disk_fd, 0);
    }
    if (r == 0)
        r = gb_fd_copy(disk_fd, &past_fd, err);
    if (r == 0)
        r = hosted_restore(server, &config, &restored, ret_hosted, err);
    if (r != 0)
        return r;
    assert(*ret_hosted != NULL);
    *ret_disk_fd = TAKE_FD(past_fd);
    (*ret_hosted)->disk_fd = TAKE_FD(disk_fd);
    (*ret_hosted)->layer = restore_copy(note->layer);
    (*ret_hosted)->packages = restore_copy(note->packages);
    (*ret_hosted)->key = restore_copy(note->key);
    (*ret_hosted)->label = restore_copy(note->label);
    (*ret_hosted)->owner = restore_copy(note->owner);
    (*ret_hosted)->client = restore_copy(note->client);
    (*ret_hosted)->origin.session = restore_copy(note->origin);
    (*ret_hosted)->origin.checkpoint = note->origin_checkpoint;
    (*ret_hosted)->origin.cell = note->origin_cell;
    (*ret_hosted)->reason = "new";
    (*ret_hosted)->incarnation_before = note->incarnation_before;
    (*ret_hosted)->cells_before = restored.cells;
    (*ret_hosted)->created_at_ns = note->created_at_ns;
    PART_CALL(server, load_session, *ret_hosted, &saved);
    return 0;
}

/* It was awake, and goes on from its last checkpoint. */
static void restore_begin_life(struct hosted *hosted, const struct note *note)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    const struct gb_past_moment *here = gb_past_find(state->past, note->here);
    const uint32_t cells = gb_session_cells(hosted->session);

    if (here == NULL)
        return; /* it cannot be woken */
    state->has_lost = gb_lives_last_cell(&state->lives, note->epoch, cells) != here->cell;
    state->lost_how = "the server had ended";
    state->lost_after = here->cell;
    gb_lives_begin(&state->lives, here->epoch, here->cell, cells);
    gb_info("%s: it was awake when its server ended, and is as it was at checkpoint %llu, after "
            "cell %u of %u",
            gb_session_id(hosted->session), (unsigned long long)here->seq, here->cell, cells);
}

/* What the part knows about it. */
static void restore_state(struct hosted *hosted, const struct note *note, bool awake,
                          struct gb_past *past)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    _cleanup_(gb_buf_release) struct gb_buf undone = {0};
    struct note_life life;
    struct note_name name;

    state->past = past;
    state->template = restore_copy(note->template);
    state->has_policy = note_find_policy(note, &state->policy);
    for (size_t at = 0; note_next_life(note, &at, &life) == 1;)
        gb_lives_begin(&state->lives, life.from_epoch, life.from_cell, life.cells_before);
    for (size_t at = 0; note_next_name(note, &at, &name) == 1;)
        gb_past_name(past, name.seq, name.name);
    if (awake)
        restore_begin_life(hosted, note);
    checkpoint_announce(hosted);
    checkpoint_is_known(hosted);
    checkpoint_count(hosted);
    if (state->lives.count == 0)
        return;
    gb_lives_undone(&state->lives, gb_session_epoch(hosted->session),
                    gb_session_cells(hosted->session), &undone);
    PART_CALL(hosted->server, session_rewound, hosted, gb_buf_bytes(&undone));
}

/* The chain @path with its mark. */
static int restore_one(struct gb_server *server, const char *path, bool awake, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_json_doc doc = {0};
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct gb_snapshot *snapshot;
    struct gb_past *past;
    struct hosted *hosted = NULL;
    struct note note;
    int disk_fd = -1;
    int r = gb_past_read_mark(path, awake, &text, &files, err);

    if (r == 0)
        r = note_read(&doc, &text, &note, err);
    if (r == 0 && !gb_bytes_equal(note.id, strrchr(path, '/') + 1))
        r = gb_err_set(err, GB_EINVALID, "its note is of another session");
    if (r == 0)
        r = restore_hosted(server, &note, awake, &hosted, &disk_fd, err);
    if (r < 0 || hosted == NULL) {
        gb_snapshot_files_release(&files);
        gb_json_release(&doc);
        return r;
    }
    snapshot = gb_snapshot_new(gb_session_image(hosted->session), note.memory_mb, &files);
    past = checkpoint_new_past(hosted, snapshot, disk_fd);
    hosted_begin_asleep(hosted, snapshot);
    gb_snapshot_unref(snapshot);
    r = gb_past_resume(past, awake, note.here, err);
    if (r < 0)
        gb_warning("%s: it cannot be woken: %s", gb_session_id(hosted->session), err->message);
    restore_state(hosted, &note, awake, past);
    gb_json_release(&doc);
    return 0;
}

static bool restore_ends_with(const char *name, const char *ending)
{
    const size_t size = strlen(name), length = strlen(ending);

    return size >= length && strcmp(name + size - length, ending) == 0;
}

/* Whether there is a mark for the file @name of a session, or what belongs to it:
 * gb_past_has_mark(). */
static int restore_is_marked(const char *folder, const char *name, bool *ret_awake,
                             struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s/%.*s", folder, (int)strcspn(name, "."), name);

    return gb_past_has_mark(path, ret_awake, err);
}

/* It may come back with what it lacks: it stays, and counts, for as long as one that sleeps. Since
 * when one sleeps that was awake is not known. */
static void restore_miss(struct gb_server *server, const char *path, bool awake,
                         const struct gb_err *why)
{
    _cleanup_(freep) char *note = xasprintf("%s.note", path);
    struct checkpoint_server *state = checkpoint_of_server(server);
    const uint64_t asleep_ms = server->settings.past.asleep_ms;
    struct missing *missing;
    struct stat info;

    if (asleep_ms > 0 && !awake && lstat(note, &info) == 0 &&
        restore_left_ms(asleep_ms, (uint64_t)gb_file_mtime_ns(&info)) <= 1) {
        gb_warning("%s: a session that was left for longer than the settings allow is removed: it "
                   "could not be taken up: %s",
                   path, why->message);
        gb_past_remove(path);
        return;
    }
    gb_warning("%s: a session of an earlier server is not taken up: %s", path, why->message);
    missing = xcalloc(1, sizeof(*missing));
    missing->path = xstrdup(path);
    missing->why = *why;
    if (lstat(path, &info) == 0 && S_ISREG(info.st_mode))
        missing->bytes = (uint64_t)info.st_size;
    state->bytes += missing->bytes;
    gb_list_add_tail(&state->missing, &missing->link);
    ended_forget_id(&server->ended, gb_bytes_str(strrchr(path, '/') + 1)); /* the journal's view */
}

static void restore_forget(struct missing *missing)
{
    lock_drop(missing->lock);
    free(missing->path);
    free(missing);
}

static struct missing *restore_find(struct gb_server *server, struct gb_bytes id)
{
    struct missing *missing;

    GB_LIST_FOREACH(missing, &checkpoint_of_server(server)->missing, link)
        if (gb_bytes_equal(id, strrchr(missing->path, '/') + 1))
            return missing;
    return NULL;
}

bool restore_explain(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    const struct missing *missing = restore_find(server, id);

    if (missing != NULL)
        (void)gb_err_set(err, GB_ECLOSED,
                         "the session is asleep, and this server could not take it up: %.300s",
                         missing->why.message);
    return missing != NULL;
}

static void restore_remove_on_thread(uv_work_t *work)
{
    gb_past_remove(container_of(work, struct missing, work)->path);
}

static void restore_after_removing(uv_work_t *work, int status)
{
    struct missing *missing = container_of(work, struct missing, work);

    (void)status; /* it is never cancelled */
    if (missing->request != NULL)
        request_ok(missing->request);
    restore_forget(missing);
}

static void restore_abandon(struct request *request)
{
    ((struct missing *)request->arg)->request = NULL;
}

bool restore_close(struct gb_server *server, struct request *request, struct gb_bytes id)
{
    struct checkpoint_server *state = checkpoint_of_server(server);
    struct missing *missing = restore_find(server, id);
    int r;

    if (missing == NULL)
        return false;
    gb_list_remove(&missing->link);
    state->bytes -= missing->bytes;
    missing->lock = lock_share(state->lock);
    missing->request = request;
    request->arg = missing;
    request->abandon = restore_abandon;
    r = uv_queue_work(gb_loop_uv(server->loop), &missing->work, restore_remove_on_thread,
                      restore_after_removing);
    assert(r == 0); /* only fails for bad arguments */
    (void)r;
    return true;
}

static void restore_drop(struct noted *noted)
{
    free(noted->path);
    free(noted);
}

/* One at a time, so that signals are heard meanwhile. */
static void restore_next(void *arg)
{
    struct gb_server *server = arg;
    struct checkpoint_server *state = checkpoint_of_server(server);
    struct gb_list *link;
    struct gb_err err = {0};

    if (server->state != SERVER_OPEN)
        return; /* the rest waits for the next one */
    link = gb_list_pop(&state->noted);
    if (link != NULL) {
        struct noted *noted = container_of(link, struct noted, link);

        err = noted->why;
        if (err.code != GB_OK || restore_one(server, noted->path, noted->awake, &err) < 0)
            restore_miss(server, noted->path, noted->awake, &err);
        restore_drop(noted);
    }
    if (!gb_list_empty(&state->noted))
        gb_loop_defer(server->loop, &state->restore, restore_next, server);
    else
        server_prepare(server, false);
}

static void restore_add(struct checkpoint_server *state, const char *name, bool awake,
                        const struct gb_err *why)
{
    struct noted *noted = xcalloc(1, sizeof(*noted));

    noted->awake = awake;
    noted->why = *why;
    noted->path = xasprintf("%s/%.*s", state->folder, (int)strcspn(name, "."), name);
    gb_list_add_tail(&state->noted, &noted->link);
}

/* Removes the file @name of a session, or what belongs to it, if it has no mark; else remembers
 * the session, at one of its files. */
static void restore_sort(struct checkpoint_server *state, int folder_fd, const char *name)
{
    struct gb_err err = {0};
    bool awake = true;
    const int marked =
        restore_ends_with(name, ".new") ? 0 : restore_is_marked(state->folder, name, &awake, &err);

    if (marked == 0)
        (void)unlinkat(folder_fd, name, 0);
    else if (marked < 0 ? strchr(name, '.') == NULL
                        : restore_ends_with(name, awake ? ".awake" : ".note"))
        restore_add(state, name, awake, &err);
}

void restore_begin(struct gb_server *server)
{
    struct checkpoint_server *state = checkpoint_of_server(server);
    DIR *entries = opendir(state->folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, "s-", 2) == 0)
            restore_sort(state, dirfd(entries), entry->d_name);
    if (entries != NULL)
        (void)closedir(entries);
    if (gb_list_empty(&state->noted))
        return;
    server_prepare(server, true);
    gb_loop_defer(server->loop, &state->restore, restore_next, server);
}

void restore_end(struct gb_server *server)
{
    struct checkpoint_server *state = checkpoint_of_server(server);
    struct gb_list *link;

    gb_loop_undefer(&state->restore);
    while (state->folder != NULL && (link = gb_list_pop(&state->noted)) != NULL)
        restore_drop(container_of(link, struct noted, link));
    while (state->folder != NULL && (link = gb_list_pop(&state->missing)) != NULL)
        restore_forget(container_of(link, struct missing, link));
}
