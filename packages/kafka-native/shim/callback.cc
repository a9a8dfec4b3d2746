#include "shim/callback.h"

#include <vector>

#include "shim/async-worker.h"
#include "shim/error.h"

namespace Nan {

namespace {

v8::Local<v8::Value> CallFunction(napi_value function, napi_value receiver, int argc,
                                  v8::Local<v8::Value> argv[]) {
  // Confluent's callbacks take up to four arguments.
  constexpr int kInlineArguments = 4;
  napi_value inline_arguments[kInlineArguments];
  std::vector<napi_value> more_arguments(argc > kInlineArguments ? argc : 0);
  napi_value* arguments = argc > kInlineArguments ? more_arguments.data() : inline_arguments;
  for (int i = 0; i < argc; i++) {
    arguments[i] = argv[i].IsEmpty() ? shim::MakeUndefined() : argv[i].handle();
  }
  shim::Environment& environment = shim::Environment::Current();
  napi_value result = nullptr;
  if (napi_call_function(environment.env(), receiver, function, argc, arguments, &result) == napi_ok) {
    return v8::Local<v8::Value>(result);
  }
  environment.CollectException();
  return Undefined();
}

}  // namespace

v8::Local<v8::Value> Callback::Call(int argc, v8::Local<v8::Value> argv[]) const {
  napi_value function = function_.handle();
  if (function == nullptr) return Undefined();
  napi_value global = nullptr;
  napi_get_global(shim::CurrentEnv(), &global);
  return CallFunction(function, global, argc, argv);
}

v8::Local<v8::Value> Callback::operator()(const v8::Local<v8::Object>& receiver) const {
  napi_value function = function_.handle();
  if (function == nullptr) return Undefined();
  return CallFunction(function, receiver.handle(), 0, nullptr);
}

v8::Local<v8::Value> Error(const v8::Local<v8::String>& message) {
  napi_value error = nullptr;
  napi_create_error(shim::CurrentEnv(), nullptr, message.handle(), &error);
  return v8::Local<v8::Value>(error);
}

const Callback* CallbackPointer::operator->() const {
  static const Callback kNothing;
  return callback_ ? callback_.get() : &kNothing;
}

}  // namespace Nan
