/** What opens the door of a machine that a web address alone leads to. */
import { createHmac } from 'node:crypto';

/** The header that shows the token, at the first request. */
export const ACCESS_HEADER = 'x-hitch-access';

/**
 * The gateway before the door reads this, and learns nothing of the secret that proves the machine's host key. Whoever has it
 * may talk to sshd, which lets in nobody but the key. `far/web-door.py` makes the same of the same words.
 */
export const accessTokenOf = (secret: string): string =>
  createHmac('sha256', secret).update('hitch web door').digest('hex');

/** An `https` address that neither a shell nor `ssh` reads anything into, without a query; what is no such address is null. */
export function webAddressOf(text: string): string | null {
  if (!/^https:\/\/[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/.test(text)) {
    return null;
  }
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}
