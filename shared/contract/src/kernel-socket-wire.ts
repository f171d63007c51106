/** What a kernel socket is given: its URL, and data to send. */

/** Kernel and session of a `…/kernels/<id>/channels?session_id=…` URL, whatever host leads there; else null. */
export function kernelKey(url: string): string | null {
  const match = /\/kernels\/([^/?#]+)\/channels(?:\?([^#]*))?/.exec(url);
  const session = new URLSearchParams(match?.[2] ?? '').get('session_id');
  return match === null || session === null ? null : `${match[1] ?? ''} ${session}`;
}

export function withCursor(url: string, cursor: string | null): string {
  if (cursor === null) {
    return url;
  }
  return `${url}${url.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
}

export type SendData = string | ArrayBuffer | ArrayBufferView;

export function asBytes(data: SendData): Uint8Array | string {
  if (typeof data === 'string') {
    return data;
  }
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
