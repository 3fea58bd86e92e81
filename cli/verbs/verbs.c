/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/verbs.h"

#include <string.h>

#include "base/mem.h"
#include "cli/app.h"

#define ROW(name_) &verb_##name_,
const struct verb *const verbs[] = {VERBS(ROW) NULL};
#undef ROW

/* Hints for verbs that other programs have and we do not: a sentence that names ours, or NULL. */
static const char *verbs_instead(const char *name)
{
    static const struct {
        const char *names, *sentence;
    } table[] = {
        {" ps list sessions ", "`glassbell ls` lists the sessions"},
        {" logs history ", "`glassbell log` shows what a session ran"},
        {" rm delete destroy kill terminate ", "`glassbell close` ends a session"},
        {" stop cancel abort ",
         "`glassbell interrupt` stops what runs, `glassbell close` ends the session"},
        {" cp copy ", "`glassbell put` brings files in, `glassbell get` fetches them"},
        {" upload push ", "`glassbell put` brings files in"},
        {" download pull ", "`glassbell get` fetches files; images are made by `glassbell image "
                            "build`"},
        {" sh bash ssh ",
         "`glassbell shell` is a shell in a session, `glassbell repl -l shell` one in "
         "a fresh VM"},
        {" python python3 py ", "`glassbell repl` is a Python prompt, `glassbell run` runs a file"},
        {" node js javascript ",
         "`glassbell repl -l javascript` is a prompt, `glassbell run` runs a file"},
        {" images ", "`glassbell image ls` lists the images"},
        {" build ", "`glassbell image build` makes images"},
        {" stats status monitor ",
         "`glassbell top` shows what runs, `glassbell doctor` what works"},
        {" info check ", "`glassbell doctor` tells what works on this host"},
        {" start create new ", "`glassbell open` opens a session"},
        {" server daemon ", "`glassbell serve` is the server; the first client starts it"},
        {" eval ", "`glassbell run -c CODE` runs code"},
        {" input stdin send ", "`glassbell answer` types a line for a program that waits"},
        {" connect enter ", "`glassbell attach` opens the front end at a session"},
        {" tail follow ", "`glassbell watch` prints what a session does"},
        {" save notebook ", "`glassbell export` writes what a session ran"},
    };
    char word[32];

    if (name[0] == '\0' || strchr(name, ' ') != NULL || strlen(name) + 3 > sizeof(word))
        return NULL;
    word[0] = ' ';
    memcpy(word + 1, name, strlen(name));
    memcpy(word + 1 + strlen(name), " ", 2);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strstr(table[i].names, word) != NULL)
            return table[i].sentence;
    return NULL;
}

int verbs_unknown(const char *name)
{
    const struct verb *near = args_nearest_verb(verbs, name);
    const char *instead = verbs_instead(name);

    if (instead != NULL)
        app_say("there is no verb %s; %s", name, instead);
    else if (near != NULL)
        app_say("there is no verb %s; did you mean `glassbell %s`?", name, near->name);
    else
        app_say("there is no verb %s; `glassbell help` lists them", name);
    return EXIT_USAGE;
}
