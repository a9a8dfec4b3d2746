// v8::Value and its subclasses. A value here is its Node-API handle: the classes
// carry one napi_value and have no state of their own, so that Local<T> can hold
// them directly.
#pragma once

#include <cstdint>

#include "shim/environment.h"

namespace v8 {

template <class T>
class Local;
template <class T>
class MaybeLocal;
template <class T>
class Maybe;

// Node-API always works in the context of its environment.
class Context {};

class Isolate {
 public:
  static Isolate* GetCurrent() { return nullptr; }
};

class Array;
class Object;
class String;

class Value {
 public:
  Value() = default;
  explicit Value(napi_value value) : handle(value) {}

  bool IsUndefined() const { return Is(napi_undefined); }
  bool IsNull() const { return Is(napi_null); }
  bool IsNullOrUndefined() const;
  bool IsString() const { return Is(napi_string); }
  bool IsNumber() const { return Is(napi_number); }
  bool IsBoolean() const { return Is(napi_boolean); }
  bool IsFunction() const { return Is(napi_function); }
  bool IsObject() const;
  bool IsArray() const;
  bool IsInt32() const;
  bool IsUint32() const;
  bool IsRegExp() const;

  MaybeLocal<Object> ToObject(Local<Context> context) const;
  Maybe<int32_t> Int32Value(Local<Context> context) const;
  Maybe<uint32_t> Uint32Value(Local<Context> context) const;

  napi_value handle = nullptr;

 private:
  bool Is(napi_valuetype type) const;
};

class Primitive : public Value {
 public:
  using Value::Value;
};

class String : public Primitive {
 public:
  using Primitive::Primitive;
};

class Boolean : public Primitive {
 public:
  using Primitive::Primitive;
};

class Number : public Primitive {
 public:
  using Primitive::Primitive;
};

class Int32 : public Number {
 public:
  using Number::Number;
};

class Uint32 : public Number {
 public:
  using Number::Number;
};

class BigInt : public Primitive {
 public:
  using Primitive::Primitive;
  static Local<BigInt> New(Isolate* isolate, int64_t value);
};

class Object : public Value {
 public:
  using Value::Value;
  MaybeLocal<Array> GetOwnPropertyNames(Local<Context> context) const;
};

class Array : public Object {
 public:
  using Object::Object;
  uint32_t Length() const;
};

class Function : public Object {
 public:
  using Object::Object;
};

class RegExp : public Object {
 public:
  using Object::Object;
  Local<String> GetSource() const;
};

}  // namespace v8

namespace shim {

// Empty handles count as undefined.
napi_valuetype TypeOf(napi_value value);

// UTF-8 text to a JavaScript string.
napi_value MakeString(const char* text, size_t length);

}  // namespace shim
