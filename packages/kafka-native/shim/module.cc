#include "shim/module.h"

#include <mutex>

#include "shim/exception.h"
#include "shim/function-callback-info.h"

namespace shim {

napi_value RegisterModule(napi_env env, napi_value exports, ModuleInit init) {
  // Confluent's Init functions write static members: one thread at a time.
  static auto* mutex = new std::mutex;
  std::lock_guard<std::mutex> lock(*mutex);

  Environment* environment = Environment::Create(env);
  EnvironmentScope current(environment);
  CallFrame frame;
  environment->frame = &frame;
  try {
    init(v8::Local<v8::Object>(exports), v8::Local<v8::Value>(), nullptr);
    if (ExportExtras != nullptr) ExportExtras(v8::Local<v8::Object>(exports));
  } catch (const Unwind& unwind) {
    ThrowUnwound(unwind);
  }
  environment->frame = nullptr;
  if (frame.exception != nullptr) napi_throw(env, frame.exception);
  return exports;
}

void DefineConstant(const v8::Local<v8::Object>& target, const char* name, double value) {
  napi_value number = nullptr;
  napi_create_double(CurrentEnv(), value, &number);
  // Not writable and not configurable, as Node defines it.
  const napi_property_descriptor property = {name,    nullptr, nullptr,         nullptr,
                                             nullptr, number,  napi_enumerable, nullptr};
  napi_define_properties(CurrentEnv(), target.handle(), 1, &property);
}

}  // namespace shim
