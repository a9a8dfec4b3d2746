// Reads the beginning of a response's body: what a receiver sends has no bound.

/** @returns the first bytes as text, at most `maxBytes`; what else there is isn't received. Empty when reading fails */
export async function readStart({ body }: Response, maxBytes: number): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < maxBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      // Copied, so that a large chunk isn't kept for its first bytes.
      chunks.push(value.slice(0, maxBytes - size));
      size += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The status is known, and says more than a broken body.
  }
  return Buffer.concat(chunks).toString();
}
