#include "surface.h"

namespace surface {

namespace {

NAN_METHOD(Count) { info.GetReturnValue().Set(Nan::New<v8::Number>(info.Length())); }

NAN_METHOD(Tenth) { info.GetReturnValue().Set(info[9]); }

NAN_METHOD(Receiver) { info.GetReturnValue().Set(info.This()); }

NAN_METHOD(Nothing) { (void)info; }

NAN_METHOD(LastOfTwo) {
  Nan::ReturnValue<v8::Value> result = info.GetReturnValue();
  result.Set(Nan::True());
  result.Set(Nan::New("second").ToLocalChecked());
}

NAN_INLINE bool IsCalled(const Nan::FunctionCallbackInfo<v8::Value>& info) { return !info.IsConstructCall(); }

NAN_METHOD(Called) { info.GetReturnValue().Set(Nan::New(IsCalled(info))); }

}  // namespace

void InitArguments(v8::Local<v8::Object> exports) {
  const Nan::FunctionCallback count = Count;
  Offer(exports, "count", count);
  Offer(exports, "tenth", Tenth);
  Offer(exports, "receiver", Receiver);
  Offer(exports, "nothing", Nothing);
  Offer(exports, "lastOfTwo", LastOfTwo);
  Offer(exports, "called", Called);
}

}  // namespace surface
