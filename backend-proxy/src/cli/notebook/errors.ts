/** The kernel or the way to it is gone for good; nothing more can run. */
export class KernelLostError extends Error {
  override readonly name = 'KernelLostError';
}
