// Nan::Utf8String: a JavaScript value's text as UTF-8, converted like String().
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>

#include "shim/local.h"

namespace Nan {

class Utf8String {
 public:
  template <class T>
  explicit Utf8String(const v8::Local<T>& value) {
    Read(value.handle());
  }
  Utf8String(const Utf8String&) = delete;
  Utf8String& operator=(const Utf8String&) = delete;

  // Ends with a NUL. Empty when the conversion threw (the exception is stored).
  const char* operator*() const { return text_; }

 private:
  void Read(napi_value value);

  std::array<char, 256> inline_text_;
  std::unique_ptr<char[]> long_text_;
  const char* text_ = nullptr;
};

static_assert(!std::is_copy_constructible_v<Utf8String>);

}  // namespace Nan
