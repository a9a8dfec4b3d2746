#include "shim/buffer.h"

#include <cstdlib>

#include "shim/exception.h"
#include "shim/new.h"

namespace shim {

namespace {

// A copy costs about 140 ns, an external buffer with its finalizer about 400;
// from about this size on, copying takes longer.
constexpr size_t kExternalThreshold = 4096;

napi_value CopyToBuffer(const void* data, size_t size) {
  napi_value buffer = nullptr;
  if (napi_create_buffer_copy(CurrentEnv(), size, data, nullptr, &buffer) == napi_ok) return buffer;
  Environment::Current().CollectException();
  return nullptr;
}

void FreeData(napi_env, void* data, void*) { std::free(data); }

struct BufferInfo {
  void* data = nullptr;
  size_t size = 0;

  explicit BufferInfo(const v8::Local<v8::Value>& value) {
    napi_get_buffer_info(CurrentEnv(), value.handle(), &data, &size);
  }
};

}  // namespace

}  // namespace shim

namespace node::Buffer {

bool HasInstance(const v8::Local<v8::Value>& value) {
  bool result = false;
  if (!value.IsEmpty()) napi_is_buffer(shim::CurrentEnv(), value.handle(), &result);
  return result;
}

size_t Length(const v8::Local<v8::Value>& value) { return shim::BufferInfo(value).size; }

char* Data(const v8::Local<v8::Value>& value) {
  static char empty[1];
  const shim::BufferInfo info(value);
  return info.size == 0 || info.data == nullptr ? empty : static_cast<char*>(info.data);
}

}  // namespace node::Buffer

namespace Nan {

MaybeLocal<v8::Object> NewBuffer(char* data, uint32_t size) {
  napi_value buffer = nullptr;
  // A runtime may refuse memory that is not its own (V8 with pointer compression).
  if (size > shim::kExternalThreshold &&
      napi_create_external_buffer(shim::CurrentEnv(), size, data, shim::FreeData, nullptr, &buffer) ==
          napi_ok) {
    return v8::Local<v8::Object>(buffer);
  }
  buffer = shim::CopyToBuffer(data, size);
  std::free(data);
  return v8::Local<v8::Object>(buffer);
}

// NAN makes an empty buffer of a null pointer. Here it is null: Confluent's client encodes a record header's value
// without checking it, so that a null value would be taken for an empty one.
v8::Local<v8::Value> Encode(const void* data, size_t size, Encoding) {
  if (data == nullptr) return v8::Local<v8::Value>(shim::MakeNull());
  return v8::Local<v8::Value>(shim::CopyToBuffer(data, size));
}

}  // namespace Nan
