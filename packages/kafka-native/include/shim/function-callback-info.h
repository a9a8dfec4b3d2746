// What a native method sees of its call.
#pragma once

#include <array>
#include <memory>

#include "shim/local.h"

namespace shim {

struct MethodData;

// A call from JavaScript in progress; frames nest when a method calls back.
struct CallFrame {
  CallFrame* outer = nullptr;
  napi_value receiver = nullptr;
  // The receiver's C++ object when the method belongs to a class.
  void* wrapped = nullptr;
  // The class whose constructor is running: what Wrap() tags the object with.
  const void* constructing = nullptr;
  napi_value exception = nullptr;
};

}  // namespace shim

namespace Nan {

template <class T>
class ReturnValue {
 public:
  explicit ReturnValue(napi_value* slot) : slot_(slot) {}
  template <class S>
  void Set(const v8::Local<S>& value) const {
    *slot_ = value.handle();
  }

 private:
  napi_value* slot_;
};

template <class T>
class FunctionCallbackInfo {
 public:
  FunctionCallbackInfo(napi_env env, napi_callback_info info);
  FunctionCallbackInfo(const FunctionCallbackInfo&) = delete;
  FunctionCallbackInfo& operator=(const FunctionCallbackInfo&) = delete;

  int Length() const { return static_cast<int>(length_); }
  v8::Local<v8::Value> operator[](int index) const;
  v8::Local<v8::Object> This() const { return v8::Local<v8::Object>(receiver_); }
  bool IsConstructCall() const { return is_construct_call_; }
  ReturnValue<T> GetReturnValue() const { return ReturnValue<T>(&result_); }

 private:
  friend struct shim::MethodData;

  // The longest argument list of Confluent's methods (produce). Node-API fills
  // every slot it is offered, so a larger array costs each call.
  static constexpr size_t kInlineArguments = 7;

  size_t length_ = kInlineArguments;
  std::array<napi_value, kInlineArguments> inline_arguments_;
  std::unique_ptr<napi_value[]> all_arguments_;
  napi_value receiver_ = nullptr;
  void* data_ = nullptr;
  bool is_construct_call_ = false;
  mutable napi_value result_ = nullptr;
};

using FunctionCallback = void (*)(const FunctionCallbackInfo<v8::Value>&);

}  // namespace Nan

#define NAN_METHOD(name) void name(const Nan::FunctionCallbackInfo<v8::Value>& info)
#define NAN_INLINE inline
