#include "surface.h"

namespace surface {

namespace {

v8::Local<v8::Object> Escaped(double value) {
  Nan::EscapableHandleScope scope;
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  Nan::Set(object, Nan::New("value").ToLocalChecked(), Nan::New<v8::Number>(value));
  return scope.Escape(object);
}

NAN_METHOD(Escape) { info.GetReturnValue().Set(Escaped(Nan::To<int>(info[0]).FromJust())); }

// A member that was created in an inner scope belongs to the object of the outer one.
NAN_METHOD(InnerScope) {
  Nan::HandleScope outer;
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  for (int i = 0; i < 3; i++) {
    Nan::HandleScope inner;
    Nan::Set(object, Nan::New("same").ToLocalChecked(), Nan::New<v8::Number>(i));
    Nan::EscapableHandleScope innermost;
    v8::Local<v8::Object> nested = Nan::New<v8::Object>();
    Nan::Set(nested, Nan::New("depth").ToLocalChecked(), Nan::New<v8::Number>(i));
    Nan::Set(object, Nan::New("nested").ToLocalChecked(), innermost.Escape(nested));
  }
  info.GetReturnValue().Set(object);
}

NAN_METHOD(ManyScopes) {
  double sum = 0;
  for (int i = 0; i < Nan::To<int>(info[0]).FromJust(); i++) {
    Nan::HandleScope scope;
    v8::Local<v8::Number> number = Nan::New<v8::Number>(i);
    sum += Nan::To<int>(number).FromJust();
  }
  info.GetReturnValue().Set(Nan::New<v8::Number>(sum));
}

NAN_METHOD(Locals) {
  v8::Local<v8::Object> empty;
  v8::Local<v8::Value> value = info[0];
  v8::Local<v8::Object> object = v8::Local<v8::Object>::Cast(value);
  Nan::MaybeLocal<v8::Object> nothing;
  Nan::MaybeLocal<v8::Object> maybe(object);
  v8::Local<v8::Object> out;
  const bool had = maybe.ToLocal(&out);
  const bool ok = empty.IsEmpty() && nothing.IsEmpty() && !maybe.IsEmpty() && had && out == object &&
                  out->IsObject() && value.As<v8::Object>() == out && !nothing.ToLocal(&out);
  info.GetReturnValue().Set(Nan::New(ok));
}

NAN_METHOD(Maybes) {
  v8::Local<v8::String> absent = Nan::New("absent").ToLocalChecked();
  Nan::Maybe<bool> has = Nan::Has(info[0].As<v8::Object>(), absent);
  info.GetReturnValue().Set(
      Nan::New(!has.IsNothing() && !has.FromJust() && !has.ToChecked() && !has.FromMaybe(true)));
}

}  // namespace

void InitHandles(v8::Local<v8::Object> exports) {
  Offer(exports, "escape", Escape);
  Offer(exports, "innerScope", InnerScope);
  Offer(exports, "manyScopes", ManyScopes);
  Offer(exports, "locals", Locals);
  Offer(exports, "maybes", Maybes);
}

}  // namespace surface
