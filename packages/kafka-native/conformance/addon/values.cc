#include "surface.h"

namespace surface {

namespace {

void Mark(v8::Local<v8::Object> object, const char* name, bool value) {
  if (value) Nan::Set(object, Nan::New(name).ToLocalChecked(), Nan::True());
}

NAN_METHOD(Kinds) {
  v8::Local<v8::Value> value = info[0];
  v8::Local<v8::Object> kinds = Nan::New<v8::Object>();
  Mark(kinds, "undefined", value->IsUndefined());
  Mark(kinds, "null", value->IsNull());
  Mark(kinds, "nullOrUndefined", value->IsNullOrUndefined());
  Mark(kinds, "string", value->IsString());
  Mark(kinds, "number", value->IsNumber());
  Mark(kinds, "boolean", value->IsBoolean());
  Mark(kinds, "function", value->IsFunction());
  Mark(kinds, "object", value->IsObject());
  Mark(kinds, "array", value->IsArray());
  Mark(kinds, "int32", value->IsInt32());
  Mark(kinds, "uint32", value->IsUint32());
  Mark(kinds, "regExp", value->IsRegExp());
  info.GetReturnValue().Set(kinds);
}

enum Severity { kLow = 3, kHigh = 9 };

NAN_METHOD(Made) {
  v8::Local<v8::Array> made = Nan::New<v8::Array>();
  v8::Local<v8::Int32> int32 = Nan::New<v8::Int32>(-5);
  v8::Local<v8::Number> number = Nan::New<v8::Number>(1.5);
  v8::Local<v8::Boolean> boolean = Nan::New<v8::Boolean>(false);
  v8::Local<v8::Uint32> uint32 = Nan::New(4294967295u);
  v8::Local<v8::Primitive> primitive = number;
  int index = 0;
  Nan::Set(made, index++, Nan::Undefined());
  Nan::Set(made, index++, Nan::Null());
  Nan::Set(made, index++, Nan::True());
  Nan::Set(made, index++, boolean);
  Nan::Set(made, index++, int32);
  Nan::Set(made, index++, uint32);
  Nan::Set(made, index++, primitive);
  Nan::Set(made, index++, Nan::New(true));
  Nan::Set(made, index++, Nan::New(7));
  Nan::Set(made, index++, Nan::New(2.25));
  Nan::Set(made, index++, Nan::New(kHigh));
  Nan::Set(made, index++, v8::BigInt::New(v8::Isolate::GetCurrent(), -9007199254740993LL));
  info.GetReturnValue().Set(made);
}

NAN_METHOD(Source) { info.GetReturnValue().Set(info[0].As<v8::RegExp>()->GetSource()); }

}  // namespace

void InitValues(v8::Local<v8::Object> exports) {
  Offer(exports, "kinds", Kinds);
  Offer(exports, "made", Made);
  Offer(exports, "source", Source);
}

}  // namespace surface
