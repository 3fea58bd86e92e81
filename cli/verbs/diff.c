/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell diff: how two moments differ, of one session or of two: variables and files.
 *
 * Each moment is looked at in a fork, which is bound to our connection and ends with it, so that
 * the sessions themselves are not touched, and nothing but the fork is trusted with what runs
 * there. The language's record has the code that lists variables (docs/worker.md); files are
 * compared by their digests. Both are text that a guest has printed: every line is parsed strictly,
 * and lines that are not as they should be are left out.
 *
 * A list that could not be had is not compared. One that was cut is known up to its last name, so
 * two are compared up to the smaller of these. Either is said, by the exit status as well. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/cell.h"
#include "model/past.h"
#include "model/session.h"
#include "platform/sort.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "verbs/back.h"
#include "verbs/verbs.h"

enum {
    DIFF_WAIT_MS = 60000,
    DIFF_FORK_DEADLINE_MS = 600000,
    DIFF_CELL_MS = 120000,
    DIFF_OUTPUT_MAX = 8 << 20, /* of one of the lists */
    DIFF_THINGS_MAX = 20000,   /* in one of them */
    DIFF_TEXT_MAX = 120,       /* bytes of a name, type or value that are shown */
    DIFF_TEXT_END = 10,        /* of them at the end of a longer one */
    DIFF_WHY_MAX = 200,        /* bytes of what a failed list printed to stderr */
    DIFF_NODES_MAX = 16,       /* of a line of JSON */
    DIGEST = 64,
};

/* Links are not files, and not followed. */
static const char diff_files_code[] =
    "cd && find . -xdev -type f -print0 | LC_ALL=C sort -z | head -z -n 20001 | "
    "xargs -0 -r sha256sum -z --";

/* A variable, or a file. */
struct thing {
    char *name;
    char *type; /* of a variable; NULL: a file */
    char *text; /* its value, or its digest */
};

struct things {
    struct thing *list;
    size_t count, capacity;
    bool good; /* it was had, up to where it was cut */
    bool cut;  /* there were more */
};

struct side {
    char *name;   /* of the session, as given */
    int64_t cell; /* the moment after it; -1: now */
    char *id, *fork;
    char language[GB_LANGUAGE_NAME_MAX + 1];
    struct things variables, files;
    bool has_variables;
};

struct diff {
    struct app app;
    const struct args *args;
    struct side sides[2];
    struct gb_json_out out; /* of --json */
    struct gb_buf json;
    size_t differences;
    bool failed; /* a list could not be had */
    bool cut;    /* one was cut */
};

static void things_release(struct things *things)
{
    for (size_t i = 0; i < things->count; i++) {
        free(things->list[i].name);
        free(things->list[i].type);
        free(things->list[i].text);
    }
    free(things->list);
}

static char *thing_copy(struct gb_bytes text)
{
    return xstrndup((const char *)text.data, text.size);
}

static void things_add(struct things *things, struct gb_bytes name, const struct gb_bytes *type,
                       struct gb_bytes text)
{
    if (things->count == DIFF_THINGS_MAX) {
        things->cut = true;
        return;
    }
    if (things->count == things->capacity) {
        things->capacity = MAX(things->capacity * 2, 64u);
        things->list = realloc(things->list, things->capacity * sizeof(*things->list));
        if (things->list == NULL)
            abort(); /* at most some hundred kilobytes */
    }
    things->list[things->count++] =
        (struct thing){thing_copy(name), type == NULL ? NULL : thing_copy(*type), thing_copy(text)};
}

/* Cuts what comes before @end off @rest; false: there is nothing left. */
static bool diff_next(struct gb_bytes *rest, char end, struct gb_bytes *ret_line)
{
    const uint8_t *stop = rest->size > 0 ? memchr(rest->data, end, rest->size) : NULL;

    if (rest->size == 0)
        return false;
    *ret_line =
        (struct gb_bytes){rest->data, stop != NULL ? (size_t)(stop - rest->data) : rest->size};
    rest->size -= MIN(ret_line->size + 1, rest->size);
    rest->data += ret_line->size + (stop != NULL);
    return true;
}

/* {"name": …, "type": …, "repr": …} in each line. */
static void diff_read_variables(struct things *things, struct gb_bytes output)
{
    struct gb_json_doc doc = {0};
    struct gb_bytes line;

    while (diff_next(&output, '\n', &line)) {
        _cleanup_(freep) char *copy = thing_copy(line);
        struct gb_bytes name, type;

        if (gb_json_parse(&doc, (uint8_t *)copy, line.size, DIFF_NODES_MAX, NULL) < 0)
            continue;
        name = json_text(doc.nodes, "name");
        type = json_text(doc.nodes, "type");
        if (name.size > 0)
            things_add(things, name, &type, json_text(doc.nodes, "repr"));
    }
    gb_json_release(&doc);
}

static bool diff_is_digest(struct gb_bytes text)
{
    for (size_t i = 0; i < DIGEST; i++)
        if (strchr("0123456789abcdef", text.data[i]) == NULL || text.data[i] == '\0')
            return false;
    return true;
}

/* What sha256sum prints: the digest, two characters, and "./" before the path. */
static void diff_read_files(struct things *things, struct gb_bytes output)
{
    struct gb_bytes line;

    while (diff_next(&output, '\0', &line)) {
        struct gb_bytes path;

        if (line.size <= DIGEST + 4 || !diff_is_digest(line))
            continue;
        path = (struct gb_bytes){line.data + DIGEST + 4, line.size - DIGEST - 4};
        things_add(things, path, NULL, (struct gb_bytes){line.data, DIGEST});
    }
}

/* ---- looking at a moment ---- */

/* "work", or "work@3". */
static bool side_read(struct side *side, const char *word)
{
    const char *at = strrchr(word, '@');
    double cell = -1;

    if (at != NULL && at[1] >= '0' && at[1] <= '9' && args_number(at + 1, 0, UINT32_MAX, &cell) &&
        cell == (double)(int64_t)cell) {
        side->name = xstrndup(word, (size_t)(at - word));
        side->cell = (int64_t)cell;
    } else {
        side->name = xstrdup(word);
        side->cell = -1;
    }
    return side->name[0] != '\0';
}

static void side_release(struct side *side)
{
    free(side->name);
    free(side->id);
    free(side->fork);
    things_release(&side->variables);
    things_release(&side->files);
}

static void side_take_session(void *arg, const struct gb_json *result)
{
    struct side *side = arg;
    struct gb_session_info info;

    gb_object_take(&gb_session_object, result, &info);
    json_copy_text(info.language, side->language, sizeof(side->language));
}

static void side_take_fork(void *arg, const struct gb_json *result)
{
    struct side *side = arg;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    size_t at = 0;

    gb_object_take(&gb_forked_object, result, &forked);
    if (gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) != 1) {
        app_say("the server opened no session, and gave no reason");
    } else if ((child.flags & GB_FORK_FAILED) == 0) {
        side->fork = thing_copy(child.session);
    } else {
        _cleanup_(gb_buf_release) struct gb_buf message = {0};

        gb_escape(&message, child.message, GB_ERR_MESSAGE_MAX);
        app_say("%s (%s)", gb_buf_str(&message), gb_code_kind((enum gb_code)child.error));
    }
}

static bool side_find(struct app *app, struct side *side)
{
    side->id = app_find_session(app, side->name);
    return side->id != NULL &&
           app_call_on(app, "session.get", side->id, DIFF_WAIT_MS, side_take_session, side);
}

static bool side_fork(struct app *app, struct side *side)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", side->id);
    if (side->cell >= 0)
        gb_json_put_i64(&out, "cell", side->cell);
    gb_json_put_str(&out, "label", "diff");
    gb_json_put_bool(&out, "bound", true);
    gb_json_put_u64(&out, "wait_ms", DIFF_WAIT_MS);
    gb_json_end(&out);
    good = app_call(app, "session.fork", &params, DIFF_FORK_DEADLINE_MS, side_take_fork, side);
    gb_buf_release(&params);
    return good && side->fork != NULL;
}

struct printed {
    struct gb_buf bytes;
    struct gb_buf why; /* the last line of stderr */
    bool good;         /* it ended well */
    bool cut;          /* there was more */
};

static void diff_take_output(void *arg, const struct gb_json *result)
{
    struct printed *printed = arg;
    struct gb_cell_info cell;
    struct gb_bytes err, line, why = {0};

    gb_object_take(&gb_cell_object, result, &cell);
    printed->good =
        gb_bytes_add_decoded(&printed->bytes, cell.out, (cell.flags & GB_CELL_OUT_BASE64) != 0) &&
        !gb_cell_failed(cell.flags, cell.exit_code, cell.signal > 0);
    printed->cut = cell.dropped_stdout > 0;
    err = cell.err;
    while ((cell.flags & GB_CELL_ERR_BASE64) == 0 && diff_next(&err, '\n', &line))
        if (line.size > 0)
            why = line;
    if (why.size > 0)
        gb_buf_add(&printed->why, why.data, MIN(why.size, (size_t)DIFF_WHY_MAX));
}

/* Runs code in the fork. False: the call failed, which was reported. */
static bool side_print(struct app *app, const struct side *side, const char *code,
                       enum gb_mode mode, struct printed *printed)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", side->fork);
    gb_json_put_str(&out, "code", code);
    gb_json_put_str(&out, "mode", gb_mode_to_string(mode));
    gb_json_put_u64(&out, "timeout_ms", DIFF_CELL_MS);
    gb_json_put_u64(&out, "max_stdout", DIFF_OUTPUT_MAX);
    gb_json_end(&out);
    good = app_call(app, "session.exec", &params, 2ull * DIFF_CELL_MS, diff_take_output, printed);
    gb_buf_release(&params);
    return good;
}

static int thing_compare(const void *a, const void *b, void *arg)
{
    (void)arg;
    return strcmp(((const struct thing *)a)->name, ((const struct thing *)b)->name);
}

static bool things_are_sorted(const struct things *things)
{
    for (size_t i = 1; i < things->count; i++)
        if (thing_compare(&things->list[i - 1], &things->list[i], NULL) > 0)
            return false;
    return true;
}

/* What was printed, without an entry whose end is missing. */
static struct gb_bytes diff_whole_entries(const struct printed *printed, char end)
{
    struct gb_bytes bytes = gb_buf_bytes(&printed->bytes);

    while (printed->cut && bytes.size > 0 && bytes.data[bytes.size - 1] != (uint8_t)end)
        bytes.size--;
    return bytes;
}

/* All of it has been read. What is missing of a list that was cut sorts behind its last name, if
 * only it was printed in that order. */
static void things_settle(struct things *things, const struct printed *printed)
{
    things->cut |= printed->cut;
    things->good =
        printed->good && (!things->cut || (things->count > 0 && things_are_sorted(things)));
    if (things->count > 0)
        gb_sort(things->list, things->count, sizeof(*things->list), thing_compare, NULL);
}

static void side_say(const struct side *side, const char *title, const struct things *things,
                     struct printed *printed)
{
    if (!things->good)
        app_say("the %s of %s could not be listed%s%s", title, side->name,
                printed->why.size > 0 ? ": " : "", gb_buf_str(&printed->why));
}

static bool side_look_at_variables(struct app *app, struct side *side)
{
    const struct gb_language *language = gb_languages_find(app_languages(app), side->language);
    struct printed printed = {0};
    bool good;

    side->has_variables = language != NULL && language->inspect.variables[0] != '\0';
    if (!side->has_variables)
        return true;
    good = side_print(app, side, language->inspect.variables, GB_MODE_KERNEL, &printed);
    if (good) {
        diff_read_variables(&side->variables, diff_whole_entries(&printed, '\n'));
        things_settle(&side->variables, &printed);
        side_say(side, "variables", &side->variables, &printed);
    }
    gb_buf_release(&printed.bytes);
    gb_buf_release(&printed.why);
    return good;
}

static bool side_look_at_files(struct app *app, struct side *side)
{
    struct printed printed = {0};
    bool good = side_print(app, side, diff_files_code, GB_MODE_SHELL, &printed);

    if (good) {
        diff_read_files(&side->files, diff_whole_entries(&printed, '\0'));
        things_settle(&side->files, &printed);
        side_say(side, "files", &side->files, &printed);
    }
    gb_buf_release(&printed.bytes);
    gb_buf_release(&printed.why);
    return good;
}

/* ---- comparing ---- */

/* Of a long one the beginning and the end: many values have a digest there. */
static void diff_print_text(const char *text)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};
    struct gb_bytes all = gb_bytes_str(text), head = all;

    if (all.size > DIFF_TEXT_MAX) {
        head.size = DIFF_TEXT_MAX - DIFF_TEXT_END;
        head.size -= gb_utf8_unfinished(head);
    }
    gb_escape(&shown, head, DIFF_TEXT_MAX);
    if (all.size > DIFF_TEXT_MAX) {
        struct gb_bytes tail = {all.data + all.size - DIFF_TEXT_END, DIFF_TEXT_END};

        while (tail.size > 0 && (tail.data[0] & 0xc0) == 0x80) {
            tail.data++;
            tail.size--;
        }
        gb_buf_adds(&shown, " … ");
        gb_escape(&shown, tail, DIFF_TEXT_MAX);
    }
    (void)fputs(gb_buf_str(&shown), stdout);
}

static void diff_put_value(struct diff *diff, const char *key, const struct thing *thing)
{
    if (thing == NULL || thing->type == NULL)
        return;
    gb_json_object(&diff->out, key);
    gb_json_put_str(&diff->out, "type", thing->type);
    gb_json_put_str(&diff->out, "repr", thing->text);
    gb_json_end(&diff->out);
}

static void diff_print_value(const struct thing *thing, const struct thing *other)
{
    if (other == NULL || strcmp(thing->type, other->type) != 0) {
        diff_print_text(thing->type);
        (void)putchar(' ');
    }
    diff_print_text(thing->text);
}

/* @before NULL: it came; @after NULL: it went. */
static void diff_tell(struct diff *diff, const struct thing *before, const struct thing *after)
{
    const struct thing *thing = before != NULL ? before : after;

    assert(thing != NULL);
    diff->differences++;
    if (args_has(diff->args, "json")) {
        gb_json_object(&diff->out, NULL);
        gb_json_put_str(&diff->out, thing->type != NULL ? "name" : "path", thing->name);
        gb_json_put_str(&diff->out, "change",
                        before == NULL  ? "added"
                        : after == NULL ? "removed"
                                        : "changed");
        diff_put_value(diff, "before", before);
        diff_put_value(diff, "after", after);
        gb_json_end(&diff->out);
        return;
    }
    (void)printf("%c ", before == NULL ? '+' : after == NULL ? '-' : '~');
    diff_print_text(thing->name);
    if (thing->type != NULL) {
        (void)fputs("  ", stdout);
        if (before != NULL)
            diff_print_value(before, NULL);
        if (before != NULL && after != NULL)
            (void)fputs(" → ", stdout);
        if (after != NULL)
            diff_print_value(after, before);
    }
    (void)putchar('\n');
}

/* Up to this name both lists are known; NULL: they are whole. */
static const char *diff_known(const struct things *a, const struct things *b)
{
    const char *end_a = a->cut ? a->list[a->count - 1].name : NULL;
    const char *end_b = b->cut ? b->list[b->count - 1].name : NULL;

    if (end_a == NULL || end_b == NULL)
        return end_a != NULL ? end_a : end_b;
    return strcmp(end_a, end_b) < 0 ? end_a : end_b;
}

static void diff_compare(struct diff *diff, const struct things *a, const struct things *b,
                         const char *known)
{
    size_t i = 0, j = 0;

    while (i < a->count || j < b->count) {
        const struct thing *before = i < a->count ? &a->list[i] : NULL;
        const struct thing *after = j < b->count ? &b->list[j] : NULL;
        int order = before == NULL ? 1 : after == NULL ? -1 : strcmp(before->name, after->name);
        const struct thing *first = order > 0 ? after : before;

        assert(first != NULL);
        if (known != NULL && strcmp(first->name, known) > 0)
            return;
        i += order <= 0;
        j += order >= 0;
        if (order < 0)
            diff_tell(diff, before, NULL);
        else if (order > 0)
            diff_tell(diff, NULL, after);
        else if (strcmp(before->text, after->text) != 0 ||
                 (before->type != NULL && strcmp(before->type, after->type) != 0))
            diff_tell(diff, before, after);
    }
}

static void diff_part(struct diff *diff, const char *title, const struct things *a,
                      const struct things *b)
{
    const char *known;

    if (!a->good || !b->good) {
        diff->failed = true;
        return; /* which was said */
    }
    known = diff_known(a, b);
    if (args_has(diff->args, "json"))
        gb_json_array(&diff->out, title);
    diff_compare(diff, a, b, known);
    if (args_has(diff->args, "json"))
        gb_json_end(&diff->out);
    if (known != NULL) {
        diff->cut = true;
        app_say("there are more %s than can be compared: those after %.*s are left out", title,
                DIFF_TEXT_MAX, known);
    }
}

static void diff_all(struct diff *diff)
{
    struct side *a = &diff->sides[0], *b = &diff->sides[1];
    const bool comparable =
        a->has_variables && b->has_variables && strcmp(a->language, b->language) == 0;

    diff->out.buf = &diff->json;
    gb_json_object(&diff->out, NULL);
    if (comparable)
        diff_part(diff, "variables", &a->variables, &b->variables);
    else
        app_say("variables are not compared: %s and %s", a->language, b->language);
    diff_part(diff, "files", &a->files, &b->files);
    gb_json_put_bool(&diff->out, "complete", comparable && !diff->failed && !diff->cut);
    gb_json_end(&diff->out);
    if (args_has(diff->args, "json"))
        (void)printf("%s\n", gb_buf_str(&diff->json));
    gb_buf_release(&diff->json);
}

/* "Nothing differs" is only said of what was compared as a whole. */
static int diff_status(const struct diff *diff)
{
    if (diff->failed || (diff->cut && diff->differences == 0))
        return EXIT_GLASSBELL;
    return diff->differences > 0;
}

static int diff_run(const struct args *args)
{
    struct diff diff = {.args = args};
    int status = EXIT_GLASSBELL;
    bool good = true;

    if (args->word_count != 2)
        return app_wrong_use(args, "compare which two? SESSION is a session as it is now, "
                                   "SESSION@CELL as it was after a cell");
    for (size_t i = 0; i < ARRAY_SIZE(diff.sides); i++)
        good &= side_read(&diff.sides[i], args->words[i]);
    app_open(&diff.app, args);
    for (size_t i = 0; good && i < ARRAY_SIZE(diff.sides); i++)
        good = side_find(&diff.app, &diff.sides[i]);
    for (size_t i = 0; good && i < ARRAY_SIZE(diff.sides); i++)
        good = side_fork(&diff.app, &diff.sides[i]) &&
               side_look_at_variables(&diff.app, &diff.sides[i]) &&
               side_look_at_files(&diff.app, &diff.sides[i]);
    if (good) {
        diff_all(&diff);
        status = diff_status(&diff);
    }
    app_close(&diff.app);
    for (size_t i = 0; i < ARRAY_SIZE(diff.sides); i++)
        side_release(&diff.sides[i]);
    return status;
}

static const struct option diff_options[] = {
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_diff = {
    .name = "diff",
    .summary = "compare the variables and files of two sessions or moments",
    .usage = "SESSION[@CELL] SESSION[@CELL]",
    .options = diff_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell diff work@3 work\n  glassbell diff work other\n",
    .run = diff_run,
};
