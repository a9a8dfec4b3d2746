#include <cstdlib>
#include <cstring>

#include "surface.h"

namespace surface {

namespace {

NAN_METHOD(HasInstance) { info.GetReturnValue().Set(Nan::New(node::Buffer::HasInstance(info[0]))); }

NAN_METHOD(Length) {
  info.GetReturnValue().Set(Nan::New<v8::Number>(static_cast<double>(node::Buffer::Length(info[0]))));
}

NAN_METHOD(Sum) {
  const char* data = node::Buffer::Data(info[0]);
  double sum = 0;
  for (size_t i = 0; i < node::Buffer::Length(info[0]); i++) sum += static_cast<unsigned char>(data[i]);
  info.GetReturnValue().Set(Nan::New<v8::Number>(sum));
}

NAN_METHOD(WriteFirst) { *node::Buffer::Data(info[0]) = 'X'; }

NAN_METHOD(NewBuffer) {
  const int size = Nan::To<int>(info[0]).FromJust();
  char* data = static_cast<char*>(std::malloc(size));
  std::memset(data, 'n', size);
  Nan::MaybeLocal<v8::Object> buffer = Nan::NewBuffer(data, size);
  info.GetReturnValue().Set(buffer.ToLocalChecked());
}

NAN_METHOD(Encode) { info.GetReturnValue().Set(Nan::Encode("bytes\0more", 10, Nan::Encoding::BUFFER)); }

NAN_METHOD(EncodeNothing) { info.GetReturnValue().Set(Nan::Encode("", 0, Nan::Encoding::BUFFER)); }

}  // namespace

void InitBuffers(v8::Local<v8::Object> exports) {
  Offer(exports, "isBuffer", HasInstance);
  Offer(exports, "bufferLength", Length);
  Offer(exports, "bufferSum", Sum);
  Offer(exports, "writeFirst", WriteFirst);
  Offer(exports, "newBuffer", NewBuffer);
  Offer(exports, "encode", Encode);
  Offer(exports, "encodeNothing", EncodeNothing);
}

}  // namespace surface
