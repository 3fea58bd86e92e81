/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell diff: how two moments differ, of one session or of two. The server compares them
 * (`session.diff`); what it says of them comes from guests, and is shown as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/diff.h"
#include "rpc/object.h"
#include "verbs/back.h"
#include "verbs/verbs.h"

enum {
    DIFF_WAIT_MS = 60000,
    DIFF_DEADLINE_MS = 1200000,
    DIFF_TEXT_MAX = 120, /* bytes of a name, type, value or output that are shown */
    DIFF_TEXT_END = 10,  /* of them at the end of a longer one */
};

struct side {
    char *name;   /* of the session, as given */
    int64_t cell; /* the moment after it; -1: now */
    char *id;
};

struct diff {
    struct app app;
    const struct args *args;
    struct side sides[2];
    int status;
};

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

static bool side_find(struct app *app, struct side *side)
{
    side->id = app_find_session(app, side->name);
    return side->id != NULL;
}

/* ---- printing ---- */

/* Of a long one the beginning and the end: many values have a digest there. */
static void diff_print_text(struct gb_bytes all)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};
    struct gb_bytes head = all;

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

static void diff_print_value(const struct gb_diff_value *value, const struct gb_diff_value *other)
{
    if (other == NULL || value->type.size != other->type.size ||
        memcmp(value->type.data, other->type.data, value->type.size) != 0) {
        diff_print_text(value->type);
        (void)putchar(' ');
    }
    diff_print_text(value->repr);
}

static char diff_sign(uint8_t change)
{
    return change == GB_ADDED ? '+' : change == GB_REMOVED ? '-' : '~';
}

static void diff_print_variable(const struct gb_diff_variable *variable)
{
    const bool has_before = (variable->flags & GB_DIFF_HAS_BEFORE) != 0;
    const bool has_after = (variable->flags & GB_DIFF_HAS_AFTER) != 0;

    (void)printf("%c ", diff_sign(variable->change));
    diff_print_text(variable->name);
    (void)fputs("  ", stdout);
    if (has_before)
        diff_print_value(&variable->before, NULL);
    if (has_before && has_after)
        (void)fputs(" → ", stdout);
    if (has_after)
        diff_print_value(&variable->after, has_before ? &variable->before : NULL);
    (void)putchar('\n');
}

static bool diff_print_file(const struct gb_diff_file *file)
{
    _cleanup_(gb_buf_release) struct gb_buf path = {0};

    if (!gb_bytes_add_decoded(&path, file->path, (file->flags & GB_DIFF_PATH_BASE64) != 0))
        return false;
    (void)printf("%c ", diff_sign(file->change));
    diff_print_text(gb_buf_bytes(&path));
    (void)putchar('\n');
    return true;
}

/* What says most about it. */
static void diff_print_output(const struct gb_diff_output *output)
{
    const bool ok = (output->flags & GB_DIFF_OUTPUT_OK) != 0;
    struct gb_bytes text = output->value;

    if (text.size == 0 || !ok)
        text = !ok && output->err.size > 0 ? output->err : output->out;
    if (text.size == 0)
        text = output->err;
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    if (!ok)
        (void)fputs(text.size > 0 ? "failed: " : "failed", stdout);
    diff_print_text(text);
}

static void diff_print_cell(const struct gb_diff_cell *cell)
{
    const bool has_before = (cell->flags & GB_DIFF_HAS_BEFORE) != 0;
    const bool has_after = (cell->flags & GB_DIFF_HAS_AFTER) != 0;

    (void)printf("%c output of cell %u  ", diff_sign(cell->change), cell->cell);
    if (has_before)
        diff_print_output(&cell->before);
    if (has_before && has_after)
        (void)fputs(" → ", stdout);
    if (has_after)
        diff_print_output(&cell->after);
    (void)putchar('\n');
}

static void diff_print_all(const struct gb_diff_info *info)
{
    struct gb_diff_variable variable;
    struct gb_diff_file file;
    struct gb_diff_cell cell;

    for (size_t at = 0; gb_items_next(&gb_diff_variable_object, &info->variables, &at, &variable);)
        diff_print_variable(&variable);
    for (size_t at = 0; gb_items_next(&gb_diff_file_object, &info->files, &at, &file);)
        if (!diff_print_file(&file))
            app_say("the server's answer has a path that is not base64");
    for (size_t at = 0; gb_items_next(&gb_diff_cell_object, &info->cells, &at, &cell);)
        diff_print_cell(&cell);
}

/* ---- the result ---- */

/* "Nothing differs" is only said of what was compared as a whole. Two languages differ, whatever
 * their variables are. */
static int diff_find_status(const struct gb_diff_info *info)
{
    const bool same_language = info->before.language.size == info->after.language.size &&
                               memcmp(info->before.language.data, info->after.language.data,
                                      info->before.language.size) == 0;
    const size_t differences = (size_t)gb_items_count(&info->variables) +
                               gb_items_count(&info->files) + gb_items_count(&info->cells);

    if ((info->flags & GB_DIFF_HAS_FILES) == 0 ||
        ((info->flags & GB_DIFF_HAS_VARIABLES) == 0 && same_language))
        return EXIT_GLASSBELL;
    if (differences == 0 && (info->flags & GB_DIFF_COMPLETE) == 0)
        return EXIT_GLASSBELL;
    return differences > 0;
}

static void diff_take(void *arg, const struct gb_json *result)
{
    struct diff *diff = arg;
    struct gb_diff_info info;
    struct gb_bytes remark;

    gb_object_take(&gb_diff_object, result, &info);
    if (args_has(diff->args, "json"))
        print_json(result);
    else
        diff_print_all(&info);
    (void)fflush(stdout);
    for (size_t at = 0; gb_names_next(&info.remarks, &at, &remark);) {
        _cleanup_(gb_buf_release) struct gb_buf text = {0};

        gb_escape(&text, remark, GB_ERR_MESSAGE_MAX);
        app_say("%s", gb_buf_str(&text));
    }
    diff->status = diff_find_status(&info);
}

static bool diff_call(struct diff *diff)
{
    const struct side *a = &diff->sides[0], *b = &diff->sides[1];
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", a->id);
    if (a->cell >= 0)
        gb_json_put_i64(&out, "cell", a->cell);
    gb_json_put_str(&out, "to", b->id);
    if (b->cell >= 0)
        gb_json_put_i64(&out, "to_cell", b->cell);
    gb_json_put_u64(&out, "wait_ms", DIFF_WAIT_MS);
    gb_json_end(&out);
    good = app_call(&diff->app, "session.diff", &params, DIFF_DEADLINE_MS, diff_take, diff);
    gb_buf_release(&params);
    return good;
}

static int diff_run(const struct args *args)
{
    struct diff diff = {.args = args, .status = EXIT_GLASSBELL};
    bool good = true;

    if (args->word_count != 2)
        return app_wrong_use(args, "compare which two? SESSION is a session as it is now, "
                                   "SESSION@CELL as it was after a cell");
    for (size_t i = 0; i < ARRAY_SIZE(diff.sides); i++)
        good &= side_read(&diff.sides[i], args->words[i]);
    app_open(&diff.app, args);
    for (size_t i = 0; good && i < ARRAY_SIZE(diff.sides); i++)
        good = side_find(&diff.app, &diff.sides[i]);
    good = good && diff_call(&diff);
    app_close(&diff.app);
    for (size_t i = 0; i < ARRAY_SIZE(diff.sides); i++) {
        free(diff.sides[i].name);
        free(diff.sides[i].id);
    }
    return good ? diff.status : EXIT_GLASSBELL;
}

static const struct option diff_options[] = {
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_diff = {
    .name = "diff",
    .summary = "compare the variables, files and output of two sessions or moments",
    .usage = "SESSION[@CELL] SESSION[@CELL]",
    .options = diff_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell diff work@3 work\n  glassbell diff work other\n",
    .run = diff_run,
};
