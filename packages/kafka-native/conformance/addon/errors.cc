#include "surface.h"

namespace surface {

namespace {

NAN_METHOD(ThrowText) {
  Nan::ThrowError("from C++");
  (void)info;
}

NAN_METHOD(ThrowValue) { Nan::ThrowError(info[0]); }

// Confluent's code does this where a `return` was forgotten.
NAN_METHOD(ThrowAndGoOn) {
  Nan::ThrowError("first");
  v8::Local<v8::Object> object = Nan::New<v8::Object>();
  Nan::Set(object, Nan::New("made").ToLocalChecked(), Nan::New("after the throw").ToLocalChecked());
  info.GetReturnValue().Set(object);
}

NAN_METHOD(ThrowTwice) {
  Nan::ThrowError("first");
  Nan::ThrowError("second");
  (void)info;
}

NAN_METHOD(MakeError) { info.GetReturnValue().Set(Nan::Error("made in C++")); }

NAN_METHOD(MakeErrorFromString) {
  info.GetReturnValue().Set(Nan::Error(Nan::To<v8::String>(info[0]).ToLocalChecked()));
}

NAN_METHOD(ThrowThenCall) {
  Nan::Callback callback(info[0].As<v8::Function>());
  callback.Call(0, nullptr);
  Nan::ThrowError("after the call");
}

}  // namespace

void InitErrors(v8::Local<v8::Object> exports) {
  Offer(exports, "throwText", ThrowText);
  Offer(exports, "throwValue", ThrowValue);
  Offer(exports, "throwAndGoOn", ThrowAndGoOn);
  Offer(exports, "throwTwice", ThrowTwice);
  Offer(exports, "makeError", MakeError);
  Offer(exports, "makeErrorFromString", MakeErrorFromString);
  Offer(exports, "callThenThrow", ThrowThenCall);
}

}  // namespace surface
