#include "surface.h"

namespace surface {

namespace {

// The converted value, or the word for a conversion that failed.
template <class T>
void Return(const Nan::FunctionCallbackInfo<v8::Value>& info, Nan::Maybe<T> result) {
  if (result.IsNothing()) {
    info.GetReturnValue().Set(Nan::New("nothing").ToLocalChecked());
  } else {
    info.GetReturnValue().Set(Nan::New<v8::Number>(static_cast<double>(result.FromJust())));
  }
}

NAN_METHOD(ToBool) { Return(info, Nan::To<bool>(info[0])); }
NAN_METHOD(ToInt32) { Return(info, Nan::To<int32_t>(info[0])); }
NAN_METHOD(ToUint32) { Return(info, Nan::To<uint32_t>(info[0])); }
NAN_METHOD(ToInt64) { Return(info, Nan::To<int64_t>(info[0])); }

NAN_METHOD(ToString) {
  Nan::MaybeLocal<v8::String> result = Nan::To<v8::String>(info[0]);
  if (!result.IsEmpty()) info.GetReturnValue().Set(result.ToLocalChecked());
}

NAN_METHOD(ToObject) {
  Nan::MaybeLocal<v8::Object> result = Nan::To<v8::Object>(info[0]);
  if (!result.IsEmpty()) info.GetReturnValue().Set(result.ToLocalChecked());
}

NAN_METHOD(ValueToObject) {
  v8::Local<v8::Context> context = Nan::GetCurrentContext();
  v8::Local<v8::Object> object;
  if (info[0]->ToObject(context).ToLocal(&object)) info.GetReturnValue().Set(object);
}

NAN_METHOD(Int32Value) {
  const int32_t value = info[0]->Int32Value(Nan::GetCurrentContext()).FromMaybe(-1);
  info.GetReturnValue().Set(Nan::New(value));
}

NAN_METHOD(Uint32Value) {
  const uint32_t value = info[0]->Uint32Value(Nan::GetCurrentContext()).ToChecked();
  info.GetReturnValue().Set(Nan::New(value));
}

}  // namespace

void InitConversions(v8::Local<v8::Object> exports) {
  Offer(exports, "toBool", ToBool);
  Offer(exports, "toInt32", ToInt32);
  Offer(exports, "toUint32", ToUint32);
  Offer(exports, "toInt64", ToInt64);
  Offer(exports, "toString", ToString);
  Offer(exports, "toObject", ToObject);
  Offer(exports, "valueToObject", ValueToObject);
  Offer(exports, "int32Value", Int32Value);
  Offer(exports, "uint32Value", Uint32Value);
}

}  // namespace surface
