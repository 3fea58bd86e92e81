/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell rewind: takes a session to a moment of its past. */
#include "verbs/back.h"
#include "verbs/verbs.h"

static bool rewind_put(const struct args *args, struct gb_json_out *out)
{
    const bool by_seq = args_has(args, "checkpoint");
    const char *text = by_seq ? args_value(args, "checkpoint") : args->words[1];
    double number;

    if (args_has(args, "name")) {
        gb_json_put_str(out, "name", args_value(args, "name"));
        return true;
    }
    if (!args_number(text, by_seq, UINT32_MAX, &number)) {
        app_say("%s is not the number of a %s", text, by_seq ? "checkpoint" : "cell");
        return false;
    }
    gb_json_put_u64(out, by_seq ? "seq" : "cell", (uint64_t)number);
    return true;
}

static int rewind_run(const struct args *args)
{
    const int ways = (args->word_count > 1) + args_has(args, "checkpoint") + args_has(args, "name");

    if (args->word_count > 2 || (args->word_count > 0 && ways != 1))
        return app_wrong_use(args, "rewind to what? `glassbell checkpoints SESSION` lists the "
                                   "checkpoints");
    return back_run(args, rewind_put);
}

static const struct option rewind_options[] = {
    {.letter = 'c',
     .name = "checkpoint",
     .value = "NUMBER",
     .kind = ARG_TEXT,
     .help = "the checkpoint with this number"},
    {.letter = 'n',
     .name = "name",
     .value = "NAME",
     .kind = ARG_TEXT,
     .help = "the checkpoint with this name"},
    OPTION_INTERRUPT,
    OPTION_JSON_RESULT,
    {0},
};

const struct verb verb_rewind = {
    .name = "rewind",
    .summary = "take a session back to an earlier state",
    .usage = "SESSION (CELL | -c NUMBER | -n NAME)",
    .options = rewind_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell rewind work 3\n  glassbell rewind work --name clean\n",
    .run = rewind_run,
};
