// node::Buffer, Nan::NewBuffer and Nan::Encode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shim/maybe.h"

namespace node::Buffer {

bool HasInstance(const v8::Local<v8::Value>& value);
size_t Length(const v8::Local<v8::Value>& value);
// Never null, not even for an empty buffer: a null pointer given to librdkafka
// makes a tombstone (a record without a value), an empty value does not.
char* Data(const v8::Local<v8::Value>& value);

}  // namespace node::Buffer

namespace Nan {

// Takes over `data`, which came from malloc().
MaybeLocal<v8::Object> NewBuffer(char* data, uint32_t size);

enum Encoding { BUFFER };

// Copies into a new Buffer.
v8::Local<v8::Value> Encode(const void* data, size_t size, Encoding encoding);

}  // namespace Nan
