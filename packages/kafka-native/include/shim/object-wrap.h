// Nan::ObjectWrap: a C++ object owned by a JavaScript object.
#pragma once

#include <type_traits>

#include "shim/exception.h"
#include "shim/local.h"

namespace Nan {

class ObjectWrap {
 public:
  ObjectWrap() = default;
  virtual ~ObjectWrap() = default;
  ObjectWrap(const ObjectWrap&) = delete;
  ObjectWrap& operator=(const ObjectWrap&) = delete;

  // The T that `object` owns. V8 leaves it to the caller to be right about the
  // type; here any other object unwinds the method with a TypeError.
  template <class T>
  static T* Unwrap(const v8::Local<v8::Object>& object) {
    T* wrapped = dynamic_cast<T*>(Find(object.handle()));
    if (wrapped == nullptr) throw shim::Unwind("Illegal invocation");
    return wrapped;
  }

 protected:
  // From the class's constructor only. The garbage collector deletes `this`
  // with the JavaScript object; at the environment's end nothing is deleted, as
  // in NAN, because librdkafka's threads may still be using it.
  void Wrap(const v8::Local<v8::Object>& object);

 private:
  static ObjectWrap* Find(napi_value object);
};

static_assert(!std::is_copy_constructible_v<ObjectWrap>);

}  // namespace Nan
