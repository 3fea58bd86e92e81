/* How a session gets its VM: from a clone of a template where there is one or will be one, else by
 * a boot. A clone that fails before the session has it is replaced by a boot, and nobody is told:
 * nothing has run in it. */
#pragma once

#include "base/err.h"
#include "pool/clone.h"
#include "pool/templates.h"
#include "session/session.h"

/* A start under way. Embed it, zeroed; do not touch its members. */
struct gb_start {
    struct gb_templates *templates;
    struct gb_session *session;
    struct gb_template_waiter waiter;
    struct gb_template *template; /* of `clone` */
    struct gb_clone *clone;
};

/* Begins it for a session without a VM; borrows all until the session has one, has ended, or the
 * cancel. When nothing can be started the session is failed. */
void gb_start_begin(struct gb_start *start, struct gb_templates *templates,
                    struct gb_session *session);
/* Nobody needs it any more; harmless when it is over. */
void gb_start_cancel(struct gb_start *start);
