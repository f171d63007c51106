/** Whole buffers, since a view would bring along all that it is a view of. */
export function unpack(buffers: readonly unknown[] = []): ArrayBuffer[] {
  return buffers.flatMap(buffer => {
    if (buffer instanceof ArrayBuffer) {
      return [buffer];
    }
    return ArrayBuffer.isView(buffer)
      ? [new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice().buffer]
      : [];
  });
}
