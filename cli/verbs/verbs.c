/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/verbs.h"

#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/help.h"
#include "language/language.h"
#include "vm/find.h"
#include "vm/image.h"

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
        {" logs history ", "`glassbell log` shows what a session has run"},
        {" rm delete destroy kill terminate ", "`glassbell close` ends a session"},
        {" stop cancel abort ",
         "`glassbell interrupt` stops the running cell, `glassbell close` ends the session"},
        {" cp copy ", "`glassbell put` copies files into a session, `glassbell get` copies "
                      "them out"},
        {" upload push ", "`glassbell put` copies files into a session"},
        {" download pull ", "`glassbell get` copies files from a session; `glassbell image "
                            "build` builds images"},
        {" sh bash ssh ",
         "`glassbell shell` is a shell in a session, `glassbell repl -l shell` one in "
         "a fresh VM"},
        {" images ", "`glassbell image ls` lists the images"},
        {" build ", "`glassbell image build` builds images"},
        {" stats status monitor ",
         "`glassbell top` shows what runs, `glassbell doctor` what works"},
        {" info check ", "`glassbell doctor` checks what works on this host"},
        {" start create new ", "`glassbell open` opens a session"},
        {" server daemon ", "`glassbell serve` runs the server; the first client starts it"},
        {" eval ", "`glassbell run -c CODE` runs code"},
        {" input stdin send ", "`glassbell answer` sends a line to a program that waits"},
        {" connect enter ", "`glassbell attach` opens the front end at a session"},
        {" tail follow ", "`glassbell watch` prints what a session does"},
        {" save notebook ", "`glassbell export` writes a session as a document"},
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

struct gb_images *verbs_images(void)
{
    _cleanup_(freep) char *folder = NULL;
    struct gb_images *images = NULL;
    const struct gb_machine *machine;

    if (find_machine(&machine, NULL) < 0 || find_images(machine, NULL, &folder, NULL) < 0 ||
        gb_images_load(folder, &images, NULL) < 0)
        return NULL;
    return images;
}

/* The same for a name of a language or of its interpreter. False: it is none. */
static bool verbs_say_language(const char *name)
{
    struct gb_images *images = verbs_images();
    const struct gb_languages *languages = images == NULL ? NULL : &images->languages;
    const struct gb_language *language = gb_languages_of_word(languages, name);

    if (language == NULL)
        language = gb_languages_of_program(languages, name);
    if (language != NULL)
        app_say("there is no verb %s; `glassbell repl -l %s` is a prompt of %s, `glassbell run` "
                "runs a file",
                name, language->name, language->title);
    gb_images_free(images);
    return language != NULL;
}

static bool verbs_takes_language(const struct verb *verb)
{
    for (const struct option *option = verb->options; option != NULL && option->name != NULL;
         option++)
        if (option->kind == ARG_LANGUAGE)
            return true;
    return false;
}

void verbs_help(struct gb_buf *out, const struct verb *verb)
{
    struct gb_images *images = verbs_takes_language(verb) ? verbs_images() : NULL;

    help_verb(out, verb, images == NULL ? NULL : &images->languages);
    gb_images_free(images);
}

int verbs_unknown(const char *name)
{
    const struct verb *near = args_nearest_verb(verbs, name);
    const char *instead = verbs_instead(name);

    if (instead != NULL)
        app_say("there is no verb %s; %s", name, instead);
    else if (verbs_say_language(name))
        return EXIT_USAGE;
    else if (near != NULL)
        app_say("there is no verb %s; did you mean `glassbell %s`?", name, near->name);
    else
        app_say("there is no verb %s; `glassbell help` lists them", name);
    return EXIT_USAGE;
}
