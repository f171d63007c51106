/** `NVIDIA GeForce RTX 4090` is `RTX 4090` everywhere else. */
export function shortGpuName(name: string): string {
  return name.replace(/^NVIDIA /, '').replace(/^(GeForce|Tesla) /, '');
}
