#include "surface.h"

namespace surface {

namespace {

Nan::Callback* kept = nullptr;

NAN_METHOD(Keep) {
  delete kept;
  kept = new Nan::Callback(info[0].As<v8::Function>());
}

NAN_METHOD(Drop) {
  delete kept;
  kept = nullptr;
  (void)info;
}

NAN_METHOD(CallKept) {
  v8::Local<v8::Value> arguments[] = {Nan::New("first").ToLocalChecked(),
                                      Nan::New<v8::Number>(2),
                                      Nan::Null(),
                                      Nan::True(),
                                      Nan::Undefined(),
                                      Nan::New(6)};
  info.GetReturnValue().Set(kept->Call(6, arguments));
}

NAN_METHOD(SameFunction) {
  info.GetReturnValue().Set(Nan::New(kept->GetFunction() == info[0].As<v8::Function>()));
}

NAN_METHOD(IsEmpty) {
  Nan::Callback empty;
  Nan::Callback full(info[0].As<v8::Function>());
  info.GetReturnValue().Set(Nan::New(empty.IsEmpty() && !full.IsEmpty()));
}

// As Confluent's Partitioner::SetCallback does it: the function is not kept.
NAN_METHOD(CallEmptyOnReceiver) {
  Nan::Callback empty;
  empty(info[0].As<v8::Function>());
  info.GetReturnValue().Set(Nan::New(empty.IsEmpty()));
}

NAN_METHOD(CallOnReceiver) {
  Nan::Callback callback(info[0].As<v8::Function>());
  v8::Local<v8::Value> result = callback(info[1].As<v8::Object>());
  info.GetReturnValue().Set(result);
}

}  // namespace

void InitCallbacks(v8::Local<v8::Object> exports) {
  Offer(exports, "keepCallback", Keep);
  Offer(exports, "dropCallback", Drop);
  Offer(exports, "callKept", CallKept);
  Offer(exports, "isKept", SameFunction);
  Offer(exports, "callbackIsEmpty", IsEmpty);
  Offer(exports, "callOnReceiver", CallOnReceiver);
  Offer(exports, "setEmptyCallback", CallEmptyOnReceiver);
}

}  // namespace surface
