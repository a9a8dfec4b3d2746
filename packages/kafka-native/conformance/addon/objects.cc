#include "surface.h"

namespace surface {

namespace {

v8::Local<v8::String> Key(const char* text) { return Nan::New(text).ToLocalChecked(); }

NAN_METHOD(Empty) { info.GetReturnValue().Set(Nan::New<v8::Object>()); }

NAN_METHOD(Pair) {
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  Nan::Set(object, Nan::New("a").ToLocalChecked(), Nan::New<v8::Number>(1));
  Nan::Set(object, Nan::New("b").ToLocalChecked(), Nan::New<v8::Number>(2));
  info.GetReturnValue().Set(object);
}

// With and without one of its members, by the same lines: two shapes.
NAN_METHOD(Record) {
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  Nan::Set(object, Nan::New("topic").ToLocalChecked(), info[0]);
  Nan::Set(object, Nan::New("partition").ToLocalChecked(), info[1]);
  if (!info[2]->IsUndefined()) Nan::Set(object, Nan::New("key").ToLocalChecked(), info[2]);
  Nan::Set(object, Nan::New(R"(a "quoted" \ key)").ToLocalChecked(), Nan::Null());
  Nan::Set(object, Nan::New<v8::String>("topic").ToLocalChecked(), Nan::New("set again").ToLocalChecked());
  info.GetReturnValue().Set(object);
}

NAN_METHOD(Large) {
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  v8::Local<v8::Value> one = Nan::New<v8::Number>(1);
  Nan::Set(object, Nan::New("a").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("b").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("c").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("d").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("e").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("f").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("g").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("h").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("i").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("j").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("k").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("l").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("m").ToLocalChecked(), one);
  Nan::Set(object, Nan::New("n").ToLocalChecked(), one);
  info.GetReturnValue().Set(object);
}

// Two locals for one object, used and changed in turns.
NAN_METHOD(Aliased) {
  v8::Local<v8::Object> first = Nan::New<v8::Object>();
  v8::Local<v8::Object> second = first;
  Nan::Set(first, Nan::New("one").ToLocalChecked(), Nan::New<v8::Number>(1));
  v8::Local<v8::Value> as_value = second;
  Nan::Set(first, Nan::New("two").ToLocalChecked(), Nan::New<v8::Number>(2));
  Nan::Set(second, Key("three"), Nan::New<v8::Number>(3));
  v8::Local<v8::Array> pair = Nan::New<v8::Array>();
  Nan::Set(pair, 0, first);
  Nan::Set(pair, 1, Nan::New(first == second && as_value == first));
  info.GetReturnValue().Set(pair);
}

NAN_METHOD(SetByKey) {
  Nan::Maybe<bool> done = Nan::Set(info[0].As<v8::Object>(), info[1].As<v8::String>(), info[2]);
  info.GetReturnValue().Set(Nan::New(done.FromMaybe(false)));
}

NAN_METHOD(GetByKey) {
  v8::Local<v8::Value> value;
  if (Nan::Get(info[0].As<v8::Object>(), info[1]).ToLocal(&value)) info.GetReturnValue().Set(value);
}

NAN_METHOD(GetByLiteral) {
  v8::Local<v8::Value> value;
  if (Nan::Get(info[0].As<v8::Object>(), Nan::New("key").ToLocalChecked()).ToLocal(&value)) {
    info.GetReturnValue().Set(value);
  }
}

NAN_METHOD(GetByIndex) {
  const uint32_t index = Nan::To<uint32_t>(info[1]).FromJust();
  info.GetReturnValue().Set(Nan::Get(info[0].As<v8::Object>(), index).ToLocalChecked());
}

NAN_METHOD(HasByLiteral) {
  info.GetReturnValue().Set(
      Nan::New(Nan::Has(info[0].As<v8::Object>(), Nan::New("key").ToLocalChecked()).FromMaybe(false)));
}

NAN_METHOD(HasByKey) {
  info.GetReturnValue().Set(
      Nan::New(Nan::Has(info[0].As<v8::Object>(), info[1].As<v8::String>()).FromMaybe(false)));
}

NAN_METHOD(Names) {
  info.GetReturnValue().Set(Nan::GetOwnPropertyNames(info[0].As<v8::Object>()).ToLocalChecked());
}

NAN_METHOD(NamesByMethod) {
  v8::Local<v8::Object> object = info[0].As<v8::Object>();
  info.GetReturnValue().Set(object->GetOwnPropertyNames(Nan::GetCurrentContext()).ToLocalChecked());
}

NAN_METHOD(Fill) {
  v8::Local<v8::Array> array = Nan::New<v8::Array>();
  const uint32_t before = array->Length();
  for (size_t i = 0; i < 5; i++) Nan::Set(array, i, Nan::New<v8::Number>(static_cast<double>(i * i)));
  Nan::Set(array, 7, Nan::New<v8::Number>(before));
  Nan::Set(array, 8, Nan::New<v8::Number>(array->Length()));
  info.GetReturnValue().Set(array);
}

}  // namespace

void InitObjects(v8::Local<v8::Object> exports) {
  Offer(exports, "emptyObject", Empty);
  Offer(exports, "pair", Pair);
  Offer(exports, "record", Record);
  Offer(exports, "large", Large);
  Offer(exports, "aliased", Aliased);
  Offer(exports, "setByKey", SetByKey);
  Offer(exports, "getByKey", GetByKey);
  Offer(exports, "getByLiteral", GetByLiteral);
  Offer(exports, "getByIndex", GetByIndex);
  Offer(exports, "hasByLiteral", HasByLiteral);
  Offer(exports, "hasByKey", HasByKey);
  Offer(exports, "names", Names);
  Offer(exports, "namesByMethod", NamesByMethod);
  Offer(exports, "fill", Fill);
}

}  // namespace surface
