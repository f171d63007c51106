/** `2026-11-29 12.30.05`, this computer's time, as it stands in a file's name on any system. */
export function stampOf(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => value.toString().padStart(2, '0');
  const day = `${at.getFullYear().toString()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`;
}
