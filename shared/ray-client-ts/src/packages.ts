/** Uploads working directories and Python modules as zip files to the cluster's own store. */
import { createHash } from 'node:crypto';
import { RayNotFoundError, RayPayloadTooLargeError } from './errors.ts';
import type { CallOptions, Transport } from './transport.ts';

/** Ray's own limit on a package, in bytes. */
export const MAX_PACKAGE_BYTES = 100 * 1024 * 1024;

const URI = /^gcs:\/\/([A-Za-z0-9._-]+\.(?:zip|whl|jar))$/;

export class PackagesApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether the cluster holds `gcs://….zip`. A yes keeps it there for 600 more seconds, so ask right before submitting. */
  async exists(uri: string, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.#transport.text({ method: 'GET', path: packagePath(uri), ...options });
      return true;
    } catch (error) {
      if (error instanceof RayNotFoundError) return false;
      throw error;
    }
  }

  /**
   * Uploads a zip file unless the cluster has it, and returns the URI for `runtime_env.working_dir` or
   * `py_modules`. The zip's root becomes the working directory; the name is the SHA-1 of its bytes.
   * @throws RayPayloadTooLargeError over 100 MiB, before anything is sent
   */
  async upload(zip: Uint8Array, options: CallOptions = {}): Promise<string> {
    if (zip.byteLength > MAX_PACKAGE_BYTES) {
      throw new RayPayloadTooLargeError(
        `The package has ${String(zip.byteLength)} bytes and Ray takes ${String(MAX_PACKAGE_BYTES)}; host it and name it by an https, s3 or gs URI`,
      );
    }
    const uri = `gcs://_ray_pkg_${createHash('sha1').update(zip).digest('hex')}.zip`;
    if (!(await this.exists(uri, options))) {
      await this.#transport.text({ method: 'PUT', path: packagePath(uri), bytes: zip, ...options });
    }
    return uri;
  }
}

function packagePath(uri: string): string {
  const name = URI.exec(uri)?.[1];
  if (name === undefined) {
    throw new TypeError(`"${uri}" is not a package of the cluster's store, which look like gcs://name.zip`);
  }
  return `/api/packages/gcs/${name}`;
}
