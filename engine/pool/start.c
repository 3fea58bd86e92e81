#include "pool/start.h"

#include "base/log.h"

static void boot(struct gb_start *start)
{
    struct gb_err err = {0};

    if (gb_session_boot(start->session, &err) < 0)
        gb_session_fail(start->session, &err);
}

static void drop_clone(struct gb_start *start)
{
    gb_clone_free(TAKE_PTR(start->clone));
    gb_template_unref(TAKE_PTR(start->template));
}

static void on_ready(void *arg)
{
    struct gb_start *start = arg;
    struct gb_vm *vm = gb_clone_take(TAKE_PTR(start->clone));

    gb_template_unref(TAKE_PTR(start->template));
    gb_session_adopt(start->session, vm, GB_SOURCE_TEMPLATE);
}

static void on_failed(void *arg, const struct gb_err *err)
{
    struct gb_start *start = arg;

    gb_warning("%s: its clone did not come up, so it boots: %s", gb_session_id(start->session),
               err->message);
    gb_templates_suspect(start->templates, start->template);
    drop_clone(start);
    boot(start);
}

static void restore(struct gb_start *start, struct gb_template *template)
{
    static const struct gb_clone_events events = {.ready = on_ready, .failed = on_failed};
    struct gb_err err = {0};

    if (gb_clone_start(gb_templates_host(start->templates), template, &events, start, &start->clone,
                       &err) < 0) {
        gb_session_fail(start->session, &err);
        return;
    }
    start->template = gb_template_ref(template);
    gb_clone_load(start->clone);
}

static void on_template(void *arg, struct gb_template *template, const struct gb_err *err)
{
    struct gb_start *start = arg;

    if (template != NULL) {
        restore(start, template);
    } else if (err->code == GB_ECLOSED) {
        gb_session_fail(start->session, err);
    } else {
        gb_debug("%s boots: %s", gb_session_id(start->session), err->message);
        boot(start);
    }
}

void gb_start_begin(struct gb_start *start, struct gb_templates *templates,
                    struct gb_session *session)
{
    struct gb_template *template = NULL;
    struct gb_err err = {0};
    int r;

    start->templates = templates;
    start->session = session;
    r = gb_templates_get(templates, gb_session_image(session), gb_session_memory_mb(session), false,
                         &template, &start->waiter, on_template, start, &err);
    if (r == 1)
        restore(start, template);
    else if (r < 0)
        on_template(start, NULL, &err);
}

void gb_start_cancel(struct gb_start *start)
{
    gb_templates_cancel(&start->waiter);
    drop_clone(start);
}
