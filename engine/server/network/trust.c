/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <string.h>

#include "base/mem.h"
#include "net/anchor.h"
#include "net/preset.h"
#include "server/core/hosted.h"
#include "server/network/state.h"
#include "session/query.h"
#include "wire/guest.h"

int trust_add_env(const struct gb_languages *languages, struct gb_env *env, struct gb_err *err)
{
    static const char *const names[] = {"SSL_CERT_FILE",       "CURL_CA_BUNDLE",
                                        "REQUESTS_CA_BUNDLE",  "PIP_CERT",
                                        "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
        bool has = false;

        for (size_t n = 0; n < env->count; n++)
            has = has || strcmp(env->names[n], names[i]) == 0;
        if (!has)
            r = gb_env_add(env, languages, gb_bytes_str(names[i]),
                           gb_bytes_str(GB_GUEST_CERTIFICATES), err);
    }
    return r;
}

bool trust_is_wanted(const struct gb_server *server, const struct gb_params *params)
{
    if (params->network == NULL || params->network->type != GB_JSON_STRING ||
        gb_preset_number(params->network->text) < 0)
        return false;
    return gb_anchors_read(&network_server(server)->anchors).size > 0;
}

static void trust_on_answer(void *arg, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    /* Where the VM goes, what was not sent to it expires, and the next one is told anew. */
    if (err != NULL && !hosted->closing && !gb_session_is_asleep(hosted->session) &&
        !gb_session_is_moving(hosted->session))
        hosted_relapse(hosted, err->message);
}

int trust_tell(struct hosted *hosted, struct gb_bytes authority, struct gb_err *err)
{
    const struct network_session *state = network_state(hosted);
    _cleanup_(gb_buf_release) struct gb_buf all = {0};
    struct gb_bytes anchors = {0};

    if (gb_preset_number(gb_bytes_str(state->name)) >= 0 ||
        gb_preset_number(gb_bytes_str(state->policy_name)) >= 0)
        anchors = gb_anchors_read(&network_server(hosted->server)->anchors);
    gb_buf_add(&all, anchors.data, anchors.size);
    gb_buf_add(&all, authority.data, authority.size);
    if (all.size == 0)
        return 0;
    return gb_session_trust(hosted->session, gb_buf_bytes(&all), trust_on_answer, hosted, err);
}
