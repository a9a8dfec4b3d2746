// The end of a zstd body (RFC 8878, section 3): the runtime's decoder takes a body that breaks off for a complete one.

const FRAME_MAGIC = 0xfd2fb528;
/** Skippable frames have 16 magic numbers. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
/** By the flags of the frame header (section 3.1.1.1.1). */
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const RLE_BLOCK = 1;

/**
 * Follows the headers of frames and blocks; reads no content.
 * @returns the offset after the last frame, or `truncated` when a frame goes on beyond the body
 */
export function zstdFramesEnd(body: Buffer): number | "truncated" {
  let at = 0;
  while (at + MAGIC_BYTES <= body.length) {
    const magic = body.readUInt32LE(at);
    const isSkippable = (magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
    if (!isSkippable && magic !== FRAME_MAGIC) return at;
    const end = isSkippable ? skippableFrameEnd(body, at) : frameEnd(body, at);
    if (end === undefined || end > body.length) return "truncated";
    at = end;
  }
  return at === 0 ? "truncated" : at;
}

function skippableFrameEnd(body: Buffer, start: number): number | undefined {
  const size = start + MAGIC_BYTES;
  return size + 4 > body.length ? undefined : size + 4 + body.readUInt32LE(size);
}

function frameEnd(body: Buffer, start: number): number | undefined {
  const descriptor = body[start + MAGIC_BYTES];
  if (descriptor === undefined) return undefined;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes =
    contentSizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[contentSizeFlag]!;
  let at =
    start +
    MAGIC_BYTES +
    1 +
    (isSingleSegment ? 0 : 1) +
    DICTIONARY_ID_BYTES[descriptor & 3]! +
    contentSizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER_BYTES > body.length) return undefined;
    const header = body.readUIntLE(at, BLOCK_HEADER_BYTES);
    isLast = (header & 1) === 1;
    const isRepeated = ((header >> 1) & 3) === RLE_BLOCK;
    at += BLOCK_HEADER_BYTES + (isRepeated ? 1 : header >> 3);
  }
  return at + ((descriptor & 4) === 0 ? 0 : CHECKSUM_BYTES);
}
