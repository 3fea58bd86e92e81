/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The few Node-API functions that the addon uses. The ABI is stable by contract; with our own
 * declarations the build needs no package of headers for each version of Node. */

typedef struct napi_env_s *napi_env;
typedef struct napi_value_s *napi_value;
typedef struct napi_ref_s *napi_ref;
typedef struct napi_info_s *napi_callback_info;
typedef struct napi_scope_s *napi_handle_scope;
typedef struct napi_async_s *napi_async_context;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int napi_status;

struct uv_loop_s;

napi_status napi_get_uv_event_loop(napi_env env, struct uv_loop_s **ret_loop);
napi_status napi_create_function(napi_env env, const char *name, size_t size, napi_callback cb,
                                 void *data, napi_value *ret_function);
napi_status napi_set_named_property(napi_env env, napi_value object, const char *name,
                                    napi_value value);
napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
                             napi_value *ret_this, void **ret_data);
napi_status napi_get_value_uint32(napi_env env, napi_value value, uint32_t *ret_number);
napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value *ret_value);
napi_status napi_create_buffer_copy(napi_env env, size_t size, const void *data, void **ret_data,
                                    napi_value *ret_value);
napi_status napi_get_buffer_info(napi_env env, napi_value value, void **ret_data, size_t *ret_size);
napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count,
                                  napi_ref *ret_ref);
napi_status napi_get_reference_value(napi_env env, napi_ref ref, napi_value *ret_value);
napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *ret_scope);
napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope);
napi_status napi_get_global(napi_env env, napi_value *ret_value);
napi_status napi_get_undefined(napi_env env, napi_value *ret_value);
napi_status napi_create_string_utf8(napi_env env, const char *text, size_t size,
                                    napi_value *ret_value);
napi_status napi_async_init(napi_env env, napi_value resource, napi_value name,
                            napi_async_context *ret_context);
napi_status napi_make_callback(napi_env env, napi_async_context context, napi_value receiver,
                               napi_value function, size_t argc, const napi_value *argv,
                               napi_value *ret_value);
napi_status napi_call_function(napi_env env, napi_value receiver, napi_value function, size_t argc,
                               const napi_value *argv, napi_value *ret_value);
napi_status napi_get_and_clear_last_exception(napi_env env, napi_value *ret_value);
