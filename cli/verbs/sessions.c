/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/sessions.h"

#include "base/mem.h"

enum { DEADLINE_MS = 30000 };

int sessions_call(const struct args *args, bool (*first)(struct app *app), const char *method)
{
    struct app app;
    bool good = true;

    app_open(&app, args);
    if (first != NULL)
        good = first(&app);
    for (size_t i = 0; i < args->word_count; i++) {
        _cleanup_(freep) char *session = app_find_session(&app, args->words[i]);

        good =
            session != NULL && app_call_on(&app, method, session, DEADLINE_MS, NULL, NULL) && good;
    }
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}
