/** A time for a file's name, the same in every time zone. */
export function fileStamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-');
}
