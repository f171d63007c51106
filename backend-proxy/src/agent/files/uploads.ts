/**
 * Files that arrive in pieces. What has arrived lies in a sidecar in the state folder, so that the work folder never
 * shows half a file; complete and checked, it takes its place in one step.
 */
import { createHash } from 'node:crypto';
import { copyFile, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { HitchError, type UploadState } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import { onFile, type Confined, type WorkFolder } from './confine.ts';
import { sha256OfFile } from './checksum.ts';

export const pieceSchema = z.object({
  path: z.string(),
  offset: z.coerce.number().int().min(0).default(0),
  total: z.coerce.number().int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
});
export type Piece = z.infer<typeof pieceSchema>;

const expectedSchema = z.object({ path: z.string(), total: z.number().int(), sha256: z.string() });
type Expected = z.infer<typeof expectedSchema>;

/** Left free on the disk, so that a kernel can still write its own output. */
const SPARE_BYTES = 16 * 1024 * 1024;

export class Uploads {
  readonly #work: WorkFolder;
  readonly #folder: string;
  readonly #busy = new Set<string>();

  constructor(work: WorkFolder, folder: string) {
    this.#work = work;
    this.#folder = folder;
  }

  /** What has arrived of the file at `path`; a file that is there counts as complete. */
  async state(path: string): Promise<UploadState> {
    const target = await this.#work.writable(path);
    const sidecar = this.#sidecar(target);
    if ((await readExpected(sidecar.about)) !== null) {
      return { path: target.path, receivedBytes: await sizeOf(sidecar.part), complete: false, sha256: null };
    }
    const found = await stat(target.entry).catch(() => null);
    if (found === null || !found.isFile()) {
      return { path: target.path, receivedBytes: 0, complete: false, sha256: null };
    }
    const { sizeBytes, sha256 } = await onFile(target.path, () => sha256OfFile(target.entry));
    return { path: target.path, receivedBytes: sizeBytes, complete: true, sha256 };
  }

  /**
   * Takes one piece. Offset 0 begins anew; any other offset must be where the last piece ended.
   * @throws HitchError CONFLICT for a gap, BAD_INPUT for a wrong checksum (what arrived is then discarded),
   * STORAGE_FULL, TOO_LARGE for more bytes than announced.
   */
  async put(piece: Piece, body: Readable): Promise<UploadState> {
    const target = await this.#work.writable(piece.path);
    const found = await stat(target.entry).catch(() => null);
    if (target.path === '' || found?.isDirectory() === true) {
      throw new HitchError(
        'CONFLICT',
        `${target.path === '' ? 'The work folder' : target.path} is a folder.`,
        { field: 'path' },
      );
    }
    if (found?.isFile() === false) {
      throw new HitchError('CONFLICT', `${target.path} is no file, but a pipe, a socket or a device.`, {
        field: 'path',
        next: 'Choose another name.',
      });
    }
    if (this.#busy.has(target.entry)) {
      throw new HitchError('CONFLICT', `${target.path} is being sent by another request.`, {
        field: 'path',
        next: 'Wait for it to end, ask for the upload state and continue from there.',
      });
    }
    this.#busy.add(target.entry);
    try {
      return await this.#put(piece, target, body);
    } finally {
      this.#busy.delete(target.entry);
    }
  }

  async #put(piece: Piece, target: Confined, body: Readable): Promise<UploadState> {
    const sidecar = this.#sidecar(target);
    const expected: Expected = { path: target.path, total: piece.total, sha256: piece.sha256 };
    if (piece.offset === 0) {
      await rm(sidecar.part, { force: true });
      writeFileAtomic(sidecar.about, JSON.stringify(expected));
    } else {
      await this.#checkGoesOn(piece, expected, sidecar);
    }
    await this.#checkRoom(target, piece);
    const receivedBytes = await onFile(target.path, () => append(sidecar.part, piece, body));
    if (receivedBytes < piece.total) {
      return { path: target.path, receivedBytes, complete: false, sha256: null };
    }
    await this.#finish(target, piece, sidecar);
    return { path: target.path, receivedBytes, complete: true, sha256: piece.sha256 };
  }

  async #checkGoesOn(piece: Piece, expected: Expected, sidecar: Sidecar): Promise<void> {
    const begun = await readExpected(sidecar.about);
    const received = begun === null ? 0 : await sizeOf(sidecar.part);
    const sameFile = begun?.total === expected.total && begun.sha256 === expected.sha256;
    if (piece.offset !== received || (begun !== null && !sameFile)) {
      throw new HitchError(
        'CONFLICT',
        sameFile || begun === null
          ? `${expected.path} has ${received.toString()} bytes so far, not ${piece.offset.toString()}.`
          : `${expected.path} was begun with another size or checksum.`,
        { field: 'offset', next: 'Ask for the upload state and continue from there, or start again at 0.' },
      );
    }
  }

  async #checkRoom(target: Confined, piece: Piece): Promise<void> {
    for (const folder of new Set([this.#folder, dirname(target.entry)])) {
      const disk = await onFile(target.path, () => statfs(folder));
      if (disk.bavail * disk.bsize - SPARE_BYTES < piece.total - piece.offset) {
        throw new HitchError(
          'STORAGE_FULL',
          `There is no room for ${target.path} (${piece.total.toString()} bytes).`,
          {
            field: 'total',
            next: 'Free some space in the work folder.',
          },
        );
      }
    }
  }

  async #finish(target: Confined, piece: Piece, sidecar: Sidecar): Promise<void> {
    const { sha256 } = await onFile(target.path, () => sha256OfFile(sidecar.part));
    if (sha256 !== piece.sha256) {
      await rm(sidecar.part, { force: true });
      await rm(sidecar.about, { force: true });
      throw new HitchError(
        'BAD_INPUT',
        `${target.path} arrived damaged: its checksum is not the one announced.`,
        {
          field: 'sha256',
          next: 'Send it again from the beginning.',
        },
      );
    }
    const kept = await stat(target.entry).catch(() => null);
    await onFile(target.path, () =>
      settle(sidecar.part, target.entry, kept === null ? 0o644 : kept.mode & 0o777),
    );
    await rm(sidecar.about, { force: true });
  }

  #sidecar(target: Confined): Sidecar {
    const name = createHash('sha256').update(target.entry).digest('hex').slice(0, 32);
    return { part: join(this.#folder, `${name}.part`), about: join(this.#folder, `${name}.json`) };
  }
}

interface Sidecar {
  readonly part: string;
  readonly about: string;
}

async function readExpected(about: string): Promise<Expected | null> {
  try {
    return expectedSchema.parse(JSON.parse(await readFile(about, 'utf8')));
  } catch {
    return null;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

/** Appends what the body brings; a connection that breaks leaves what came before it. @returns the size then. */
async function append(part: string, piece: Piece, body: Readable): Promise<number> {
  const file = await open(part, piece.offset === 0 ? 'w' : 'r+', 0o600);
  try {
    let at = piece.offset;
    for await (const bytes of body as AsyncIterable<Buffer>) {
      if (at + bytes.length > piece.total) {
        throw new HitchError(
          'TOO_LARGE',
          `${piece.path} brings more than the ${piece.total.toString()} bytes announced.`,
          {
            field: 'total',
          },
        );
      }
      await file.write(bytes, 0, bytes.length, at);
      at += bytes.length;
    }
    await file.sync();
    return at;
  } finally {
    await file.close();
  }
}

/** Puts the part in its place in one step, over file systems by way of a hidden copy beside it. */
async function settle(part: string, target: string, mode: number): Promise<void> {
  const file = await open(part, 'r+');
  await file.chmod(mode).finally(() => file.close());
  try {
    await rename(part, target);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) {
      throw error;
    }
    const beside = join(
      dirname(target),
      `.${createHash('sha256').update(target).digest('hex').slice(0, 16)}.hitch-part`,
    );
    try {
      await copyFile(part, beside);
      await rename(beside, target);
    } finally {
      await rm(beside, { force: true });
    }
    await rm(part, { force: true });
  }
}
