#include <cstring>
#include <string>

#include "surface.h"

namespace surface {

namespace {

NAN_METHOD(Literal) { info.GetReturnValue().Set(Nan::New("literal").ToLocalChecked()); }

NAN_METHOD(TypedLiteral) { info.GetReturnValue().Set(Nan::New<v8::String>("typed").ToLocalChecked()); }

NAN_METHOD(Pointer) {
  const char* text = "pointer \xc3\xa9";
  info.GetReturnValue().Set(Nan::New(text).ToLocalChecked());
}

NAN_METHOD(WritableArray) {
  char text[32];
  std::strcpy(text, "before");
  v8::Local<v8::String> made = Nan::New(text).ToLocalChecked();
  std::strcpy(text, "after");
  info.GetReturnValue().Set(made);
}

NAN_METHOD(StdString) {
  std::string text("std\0string", 10);
  info.GetReturnValue().Set(Nan::New<v8::String>(text).ToLocalChecked());
}

NAN_METHOD(WithLength) { info.GetReturnValue().Set(Nan::New<v8::String>("cut here", 3).ToLocalChecked()); }

NAN_METHOD(InvalidUtf8) { info.GetReturnValue().Set(Nan::New(std::string("a\xff\xc3z")).ToLocalChecked()); }

NAN_METHOD(Bytes) {
  Nan::Utf8String text(info[0]);
  info.GetReturnValue().Set(Nan::Encode(*text, std::strlen(*text), Nan::Encoding::BUFFER));
}

NAN_METHOD(StringsEqual) {
  v8::Local<v8::String> literal = Nan::New("key").ToLocalChecked();
  info.GetReturnValue().Set(
      Nan::New(literal->IsString() && Nan::To<v8::String>(literal).ToLocalChecked() == literal));
}

}  // namespace

void InitStrings(v8::Local<v8::Object> exports) {
  Offer(exports, "literal", Literal);
  Offer(exports, "typedLiteral", TypedLiteral);
  Offer(exports, "pointer", Pointer);
  Offer(exports, "writableArray", WritableArray);
  Offer(exports, "stdString", StdString);
  Offer(exports, "withLength", WithLength);
  Offer(exports, "invalidUtf8", InvalidUtf8);
  Offer(exports, "bytes", Bytes);
  Offer(exports, "stringsEqual", StringsEqual);
}

}  // namespace surface
