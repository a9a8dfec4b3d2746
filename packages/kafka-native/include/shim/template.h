// v8::FunctionTemplate: the description of a native function or class, from
// which the function is made on the first GetFunction().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shim/function-callback-info.h"
#include "shim/maybe.h"

namespace shim {

struct ClassTemplate;

// The target of a Node-API callback's data pointer.
struct MethodData {
  Environment* environment = nullptr;
  Nan::FunctionCallback callback = nullptr;
  std::string name;
  // Set on methods: the receiver must be an instance of this class.
  const ClassTemplate* receiver_class = nullptr;
  // Set on constructors.
  const ClassTemplate* constructed_class = nullptr;

  static napi_value Invoke(napi_env env, napi_callback_info info);
};

// Lives as long as the process: JavaScript functions point into it.
struct ClassTemplate {
  explicit ClassTemplate(Nan::FunctionCallback callback);
  ClassTemplate(const ClassTemplate&) = delete;
  ClassTemplate& operator=(const ClassTemplate&) = delete;

  void AddMethod(const char* name, Nan::FunctionCallback callback);
  // Returns the replaced callback.
  Nan::FunctionCallback ReplaceMethod(const char* name, Nan::FunctionCallback callback);
  napi_value GetFunction();

  // The class of that name in the current environment.
  static ClassTemplate& Named(const char* class_name);

  std::string class_name;
  MethodData constructor;
  std::vector<std::unique_ptr<MethodData>> methods;

 private:
  napi_value MakeFunction();

  napi_ref function_ = nullptr;
};

}  // namespace shim

namespace v8 {

class ObjectTemplate {
 public:
  // Node-API keeps the native pointer elsewhere (napi_wrap).
  void SetInternalFieldCount(int count) { (void)count; }
};

class FunctionTemplate {
 public:
  void SetClassName(const Local<String>& name);
  Local<ObjectTemplate> InstanceTemplate();
  MaybeLocal<Function> GetFunction(Local<Context> context);

  shim::ClassTemplate* description = nullptr;
};

template <>
class Local<ObjectTemplate> {
 public:
  ObjectTemplate* operator->() const { return &value_; }

 private:
  mutable ObjectTemplate value_;
};

template <>
class Local<FunctionTemplate> {
 public:
  Local() = default;
  explicit Local(shim::ClassTemplate* description) { value_.description = description; }
  FunctionTemplate* operator->() const { return &value_; }

 private:
  mutable FunctionTemplate value_;
};

inline Local<ObjectTemplate> FunctionTemplate::InstanceTemplate() { return {}; }

}  // namespace v8

namespace Nan {

inline void SetPrototypeMethod(const v8::Local<v8::FunctionTemplate>& target, const char* name,
                               FunctionCallback callback) {
  target->description->AddMethod(name, callback);
}

inline MaybeLocal<v8::Function> GetFunction(const v8::Local<v8::FunctionTemplate>& source) {
  return source->GetFunction({});
}

MaybeLocal<v8::Object> NewInstance(const v8::Local<v8::Function>& constructor, int argc,
                                   v8::Local<v8::Value> argv[]);

}  // namespace Nan
