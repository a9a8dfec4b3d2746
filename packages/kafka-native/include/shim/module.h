// NODE_MODULE and NODE_DEFINE_CONSTANT.
#pragma once

#include "shim/local.h"

#define NODE_MAJOR_VERSION 20

namespace shim {

using ModuleInit = void (*)(v8::Local<v8::Object> exports, v8::Local<v8::Value> module, void* data);

// Exports of an addon beside those of its Init function. Weak: null in an addon
// that is linked without a definition.
__attribute__((weak)) void ExportExtras(v8::Local<v8::Object> exports);

napi_value RegisterModule(napi_env env, napi_value exports, ModuleInit init);
void DefineConstant(const v8::Local<v8::Object>& target, const char* name, double value);

}  // namespace shim

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))

#define NODE_MODULE(name, init)                                                      \
  SHIM_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) { \
    return shim::RegisterModule(env, exports, init);                                 \
  }                                                                                  \
  SHIM_EXPORT int32_t node_api_module_get_api_version_v1() { return NAPI_VERSION; }

// `constant` is stringized as it is written, with its namespaces: that is the
// property's name in Node too.
#define NODE_DEFINE_CONSTANT(target, constant) \
  shim::DefineConstant(target, #constant, static_cast<double>(constant))
