/** Ed25519 keys in OpenSSH's own formats, made by Node alone: ssh-keygen is not everywhere. */
import { generateKeyPairSync } from 'node:crypto';

export interface OpensshKey {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** The text of a private key file, without a passphrase. */
  readonly privateKey: string;
}

const TYPE = Buffer.from('ssh-ed25519');
const MAGIC = Buffer.from('openssh-key-v1\0');
/** Without a cipher, OpenSSH still pads to this. */
const BLOCK_BYTES = 8;
const LINE_LENGTH = 70;

/** @param comment stands in the private file and names the key to whoever looks into it. */
export function generateOpensshKey(comment: string): OpensshKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  // The last 32 bytes of either encoding are the key itself (RFC 8410).
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32);
  return {
    publicKey: `${TYPE.toString()} ${publicBlob(point).toString('base64')}`,
    privateKey: privateFile(point, seed, comment),
  };
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const publicBlob = (point: Buffer): Buffer => Buffer.concat([field(TYPE), field(point)]);

/** The layout of OpenSSH's PROTOCOL.key. */
function privateFile(point: Buffer, seed: Buffer, comment: string): string {
  // Twice the same four bytes show that decrypting worked; without a cipher any four do.
  const check = point.subarray(0, 4);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob(point),
    field(Buffer.concat([seed, point])),
    field(Buffer.from(comment)),
  ]);
  const missing = (BLOCK_BYTES - (secret.length % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = Buffer.from(Array.from({ length: missing }, (_, index) => index + 1));
  const none = field(Buffer.from('none'));
  const file = Buffer.concat([
    MAGIC,
    none,
    none,
    field(Buffer.alloc(0)),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob(point)),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString('base64').match(new RegExp(`.{1,${LINE_LENGTH.toString()}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}
