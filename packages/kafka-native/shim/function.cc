// Native functions and classes: templates, and the way from a call in
// JavaScript to the C++ method and back.
#include <utility>

#include "shim/environment.h"
#include "shim/exception.h"
#include "shim/new.h"
#include "shim/object-wrap-data.h"
#include "shim/pending-object.h"
#include "shim/template.h"
#include "shim/utf8-string.h"

namespace Nan {

template <class T>
FunctionCallbackInfo<T>::FunctionCallbackInfo(napi_env env, napi_callback_info info) {
  napi_get_cb_info(env, info, &length_, inline_arguments_.data(), &receiver_, &data_);
  if (length_ > kInlineArguments) {
    all_arguments_ = std::make_unique<napi_value[]>(length_);
    napi_get_cb_info(env, info, &length_, all_arguments_.get(), nullptr, nullptr);
  }
  // The analyzer loses sight of the owner here.
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)

template <class T>
v8::Local<v8::Value> FunctionCallbackInfo<T>::operator[](int index) const {
  if (index < 0 || static_cast<size_t>(index) >= length_) return Undefined();
  return v8::Local<v8::Value>(all_arguments_ ? all_arguments_[index] : inline_arguments_[index]);
}

template class FunctionCallbackInfo<v8::Value>;

MaybeLocal<v8::Object> NewInstance(const v8::Local<v8::Function>& constructor, int argc,
                                   v8::Local<v8::Value> argv[]) {
  std::vector<napi_value> arguments;
  arguments.reserve(argc);
  for (int i = 0; i < argc; i++) arguments.push_back(argv[i].handle());
  napi_value instance = nullptr;
  if (napi_new_instance(shim::CurrentEnv(), constructor.handle(), arguments.size(), arguments.data(),
                        &instance) != napi_ok) {
    shim::Environment::Current().CollectException();
    return {};
  }
  return v8::Local<v8::Object>(instance);
}

}  // namespace Nan

namespace shim {

namespace {

// Makes `frame` the environment's innermost for a C++ scope.
class FrameScope {
 public:
  FrameScope(Environment* environment, CallFrame* frame)
      : environment_(environment), frame_(frame), pending_mark_(environment->pending_objects().Mark()) {
    frame->outer = environment->frame;
    environment->frame = frame;
  }
  ~FrameScope() {
    environment_->frame = frame_->outer;
    environment_->pending_objects().Rewind(pending_mark_);
  }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

 private:
  Environment* const environment_;
  CallFrame* const frame_;
  const size_t pending_mark_;
};

}  // namespace

napi_value MethodData::Invoke(napi_env env, napi_callback_info raw_info) {
  Nan::FunctionCallbackInfo<v8::Value> info(env, raw_info);
  const auto* method = static_cast<const MethodData*>(info.data_);
  EnvironmentScope current(method->environment);

  CallFrame frame;
  frame.receiver = info.receiver_;
  if (method->receiver_class != nullptr) {
    const WrapData* wrap = FindWrap(info.receiver_);
    // V8 checks a method's receiver before the method runs, and so its arguments.
    if (wrap == nullptr || wrap->wrapped_class != method->receiver_class) {
      napi_throw_type_error(env, nullptr, "Illegal invocation");
      return nullptr;
    }
    frame.wrapped = wrap->object;
  } else if (method->constructed_class != nullptr) {
    napi_value new_target = nullptr;
    napi_get_new_target(env, raw_info, &new_target);
    info.is_construct_call_ = new_target != nullptr;
    frame.constructing = method->constructed_class;
  }
  {
    FrameScope scope(method->environment, &frame);
    try {
      method->callback(info);
    } catch (const Unwind& unwind) {
      ThrowUnwound(unwind);
    }
  }
  if (frame.exception != nullptr) {
    napi_throw(env, frame.exception);
    return nullptr;
  }
  return info.result_;
}

ClassTemplate::ClassTemplate(Nan::FunctionCallback callback) {
  constructor.environment = &Environment::Current();
  constructor.callback = callback;
  Environment::Current().classes.push_back(this);
}

void ClassTemplate::AddMethod(const char* name, Nan::FunctionCallback callback) {
  auto method = std::make_unique<MethodData>();
  method->environment = constructor.environment;
  method->callback = callback;
  method->name = name;
  method->receiver_class = this;
  methods.push_back(std::move(method));
}

Nan::FunctionCallback ClassTemplate::ReplaceMethod(const char* name, Nan::FunctionCallback callback) {
  for (const auto& method : methods) {
    if (method->name == name) return std::exchange(method->callback, callback);
  }
  Fatal(name);
}

ClassTemplate& ClassTemplate::Named(const char* class_name) {
  for (ClassTemplate* one : Environment::Current().classes) {
    if (one->class_name == class_name) return *one;
  }
  Fatal(class_name);
}

napi_value ClassTemplate::GetFunction() {
  napi_env env = constructor.environment->env();
  napi_value function = nullptr;
  if (function_ != nullptr) {
    napi_get_reference_value(env, function_, &function);
    return function;
  }
  function = MakeFunction();
  napi_create_reference(env, function, 1, &function_);
  return function;
}

napi_value ClassTemplate::MakeFunction() {
  napi_env env = constructor.environment->env();
  napi_value function = nullptr;
  if (class_name.empty() && methods.empty()) {
    napi_create_function(env, "", 0, MethodData::Invoke, &constructor, &function);
    return function;
  }
  constructor.constructed_class = this;
  std::vector<napi_property_descriptor> properties;
  for (const auto& method : methods) {
    // V8's default for a template's properties, and so NAN's.
    const auto attributes =
        static_cast<napi_property_attributes>(napi_writable | napi_enumerable | napi_configurable);
    properties.push_back({method->name.c_str(), nullptr, MethodData::Invoke, nullptr, nullptr, nullptr,
                          attributes, method.get()});
  }
  if (napi_define_class(env, class_name.c_str(), class_name.size(), MethodData::Invoke, &constructor,
                        properties.size(), properties.data(), &function) != napi_ok) {
    Fatal("napi_define_class");
  }
  return function;
}

}  // namespace shim

namespace v8 {

void FunctionTemplate::SetClassName(const Local<String>& name) {
  description->class_name = *Nan::Utf8String(name);
}

MaybeLocal<Function> FunctionTemplate::GetFunction(Local<Context>) {
  return Local<Function>(description->GetFunction());
}

}  // namespace v8
