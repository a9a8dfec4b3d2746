// Nan::New and the constants: C++ values to JavaScript values.
#pragma once

#include <concepts>
#include <string>

#include "shim/maybe.h"
#include "shim/reference.h"
#include "shim/template.h"

namespace shim {

napi_value MakeNumber(double value);
napi_value MakeInt32(int32_t value);
napi_value MakeUint32(uint32_t value);
napi_value MakeBoolean(bool value);
napi_value MakeArray();
napi_value MakeUndefined();
napi_value MakeNull();
v8::Local<v8::Object> ReserveObject();

inline v8::MaybeLocal<v8::String> NewString(const std::string& text) {
  return v8::Local<v8::String>(MakeString(text.data(), text.size()));
}
inline v8::MaybeLocal<v8::String> NewString(const char* text) {
  return v8::Local<v8::String>(MakeString(text, std::char_traits<char>::length(text)));
}

// A pointer to characters, as opposed to an array of them.
template <class P>
concept CharPointer = std::same_as<P, const char*> || std::same_as<P, char*>;

}  // namespace shim

namespace Nan {

inline v8::Local<v8::Value> Undefined() { return v8::Local<v8::Value>(shim::MakeUndefined()); }
inline v8::Local<v8::Value> Null() { return v8::Local<v8::Value>(shim::MakeNull()); }
inline v8::Local<v8::Boolean> True() { return v8::Local<v8::Boolean>(shim::MakeBoolean(true)); }

template <std::same_as<v8::Object> T>
v8::Local<v8::Object> New() {
  return shim::ReserveObject();
}
template <std::same_as<v8::Array> T>
v8::Local<v8::Array> New() {
  return v8::Local<v8::Array>(shim::MakeArray());
}
template <std::same_as<v8::Number> T>
v8::Local<v8::Number> New(double value) {
  return v8::Local<v8::Number>(shim::MakeNumber(value));
}
template <std::same_as<v8::Int32> T>
v8::Local<v8::Int32> New(int32_t value) {
  return v8::Local<v8::Int32>(shim::MakeInt32(value));
}
template <std::same_as<v8::Boolean> T>
v8::Local<v8::Boolean> New(bool value) {
  return v8::Local<v8::Boolean>(shim::MakeBoolean(value));
}
template <std::same_as<v8::FunctionTemplate> T>
v8::Local<v8::FunctionTemplate> New(FunctionCallback callback) {
  return v8::Local<v8::FunctionTemplate>(new shim::ClassTemplate(callback));
}

inline v8::Local<v8::Boolean> New(bool value) { return New<v8::Boolean>(value); }
inline v8::Local<v8::Int32> New(int32_t value) { return New<v8::Int32>(value); }
inline v8::Local<v8::Uint32> New(uint32_t value) { return v8::Local<v8::Uint32>(shim::MakeUint32(value)); }
inline v8::Local<v8::Number> New(double value) { return New<v8::Number>(value); }

// Strings. An array of const char is taken for a literal and stays a C string
// until the JavaScript one is needed; pointers and writable arrays are copied.
template <std::same_as<v8::String> T, size_t N>
MaybeLocal<v8::String> New(const char (&literal)[N]) {
  return v8::Local<v8::String>::FromLiteral(literal);
}
template <std::same_as<v8::String> T, size_t N>
MaybeLocal<v8::String> New(char (&text)[N]) {
  return shim::NewString(static_cast<const char*>(text));
}
template <std::same_as<v8::String> T, shim::CharPointer P>
MaybeLocal<v8::String> New(P text) {
  return shim::NewString(static_cast<const char*>(text));
}
template <std::same_as<v8::String> T>
MaybeLocal<v8::String> New(const std::string& text) {
  return shim::NewString(text);
}
template <std::same_as<v8::String> T>
MaybeLocal<v8::String> New(const char* text, int length) {
  return v8::Local<v8::String>(shim::MakeString(text, static_cast<size_t>(length)));
}
template <size_t N>
MaybeLocal<v8::String> New(const char (&literal)[N]) {
  return v8::Local<v8::String>::FromLiteral(literal);
}
template <size_t N>
MaybeLocal<v8::String> New(char (&text)[N]) {
  return shim::NewString(static_cast<const char*>(text));
}
template <shim::CharPointer P>
MaybeLocal<v8::String> New(P text) {
  return shim::NewString(static_cast<const char*>(text));
}
inline MaybeLocal<v8::String> New(const std::string& text) { return shim::NewString(text); }

// The value that a Persistent keeps.
template <class T>
v8::Local<T> New(const Persistent<T>& persistent) {
  return v8::Local<T>(persistent.handle());
}
template <std::same_as<v8::Function> T>
v8::Local<v8::Function> New(const Persistent<v8::Function>& persistent) {
  return v8::Local<v8::Function>(persistent.handle());
}

}  // namespace Nan
