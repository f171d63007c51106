/**
 * A bucket of an S3-compatible service: what is asked of it here, and addresses for machines. Whoever has an address can do the one
 * thing that it was signed for, with that object, until it expires. Signature: AWS Signature Version 4 in the query.
 */
import { errorText } from '@hitch/platform/src/log.ts';
import { AwsV4Signer } from 'aws4fetch';
import { BUCKET_KEY, BUCKET_KEY_ID, HitchError, type JobBucket } from '@hitch/contract';

/** The longest that version 4 of the signature allows. */
export const LONGEST_ADDRESS_S = 7 * 24 * 3_600;

const OWN_ADDRESS_S = 15 * 60;

export interface BucketKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type Fetch = (
  url: string,
  init: { method: string; signal: AbortSignal; body?: string },
) => Promise<Response>;

export class Bucket {
  readonly #bucket: JobBucket;
  readonly #keys: BucketKeys;
  readonly #fetch: Fetch;

  constructor(bucket: JobBucket, keys: BucketKeys, fetch: Fetch = globalThis.fetch) {
    this.#bucket = bucket;
    this.#keys = keys;
    this.#fetch = fetch;
  }

  /** With an `s3://…` of its own for people. */
  nameOf(key: string): string {
    return `${this.#bucket.url.replace(/\/+$/, '')}/${key}`;
  }

  /** @param key below the bucket's prefix. */
  async address(method: 'GET' | 'PUT' | 'DELETE', key: string, lastsS: number): Promise<string> {
    const url = new URL(this.#urlOf(key));
    url.searchParams.set('X-Amz-Expires', Math.min(LONGEST_ADDRESS_S, lastsS).toString());
    const signer = new AwsV4Signer({
      ...this.#keys,
      method,
      url: url.href,
      service: 's3',
      region: this.#bucket.region,
      signQuery: true,
    });
    return (await signer.sign()).url.href;
  }

  /** Null: it is not there. @throws HitchError with what the service says. */
  async get(key: string, signal: AbortSignal): Promise<Response | null> {
    const answer = await this.#ask('GET', key, signal);
    if (answer.status === 404) {
      await answer.body?.cancel();
      return null;
    }
    return this.#checked(answer);
  }

  async put(key: string, body: string, signal: AbortSignal): Promise<void> {
    await (await this.#checked(await this.#ask('PUT', key, signal, body))).body?.cancel();
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await (await this.#checked(await this.#ask('DELETE', key, signal))).body?.cancel();
  }

  async #ask(
    method: 'GET' | 'PUT' | 'DELETE',
    key: string,
    signal: AbortSignal,
    body?: string,
  ): Promise<Response> {
    const url = await this.address(method, key, OWN_ADDRESS_S);
    try {
      return await this.#fetch(url, { method, signal, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      // An address stands in some errors, and opens what it was signed for.
      throw new HitchError('UNREACHABLE', `${this.#bucket.url} cannot be reached.`, {
        cause: new Error(errorText(error).replaceAll(/https?:\S+/g, '…')),
      });
    }
  }

  async #checked(answer: Response): Promise<Response> {
    if (answer.ok) {
      return answer;
    }
    const text = (await answer.text()).slice(0, MOST_WORDS);
    const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(text)?.[1] ?? '';
    throw new HitchError(
      answer.status >= 500 ? 'UNREACHABLE' : 'BAD_INPUT',
      `${this.#bucket.url} answers ${answer.status.toString()}${code === '' ? '' : ` ${code}`}.`,
      { field: 'bucket', next: MEANINGS[code] ?? 'Look at the bucket’s name, its region and its keys.' },
    );
  }

  #urlOf(key: string): string {
    const { url, endpoint, region } = this.#bucket;
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(url) ?? [];
    const path = [prefix, key].filter(part => part !== '').join('/');
    // A name with dots has no certificate of its own at Amazon, and other services have one for all buckets.
    return endpoint === null && !bucket.includes('.')
      ? `https://${bucket}.s3.${region}.amazonaws.com/${path}`
      : `${(endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')}/${bucket}/${path}`;
  }
}

const MOST_WORDS = 10_000;

const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Make it first, or correct its name.',
  AccessDenied: 'The keys need the right to read, write and remove objects there.',
  InvalidAccessKeyId: `Store the right ones: hitch secrets set ${BUCKET_KEY_ID}.`,
  SignatureDoesNotMatch: `Store the key again: hitch secrets set ${BUCKET_KEY}.`,
};

/** @throws HitchError BAD_INPUT where they are not stored. */
export async function bucketKeys(
  secrets: (names: readonly string[]) => Promise<Readonly<Record<string, string>>>,
): Promise<BucketKeys> {
  const values = await secrets([BUCKET_KEY_ID, BUCKET_KEY]);
  const missing = [BUCKET_KEY_ID, BUCKET_KEY].find(name => (values[name] ?? '') === '');
  if (missing !== undefined) {
    throw new HitchError('BAD_INPUT', `The secret ${missing} is needed for the bucket, and is not stored.`, {
      field: 'bucket',
      next: `Store it: hitch secrets set ${missing}. It stays on this computer.`,
    });
  }
  return { accessKeyId: values[BUCKET_KEY_ID] ?? '', secretAccessKey: values[BUCKET_KEY] ?? '' };
}

/** @throws HitchError where nothing can be written there, or not removed again. */
export async function tryBucket(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  await bucket.put(key, 'Hitch tries whether it can write here.', signal);
  await bucket.remove(key, signal);
}
