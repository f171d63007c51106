/** The machines that the user has named, and what an hour of each costs: a small file that a person may read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HitchError, microUsdSchema, shownName } from '@hitch/contract';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Home } from '@hitch/platform/src/paths.ts';

/** What `ssh` takes for a machine, and what is no setting of it, no pattern and no path. */
export const hostNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,99}$/, 'is not a name that ssh has for one machine');

const ownHostSchema = z.object({
  name: hostNameSchema,
  pricePerHourMicroUsd: microUsdSchema.default('0'),
});
export type OwnHost = z.infer<typeof ownHostSchema>;
const fileSchema = z.object({ hosts: z.array(ownHostSchema).max(500) });

export class OwnHosts {
  readonly #file: string;

  constructor(home: Home) {
    this.#file = join(home.root, 'ssh-hosts.json');
  }

  /** As the file is now: it may be changed while a daemon runs. @throws HitchError when it cannot be read. */
  list(): readonly OwnHost[] {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return [];
      }
      throw this.#unreadable(error);
    }
    try {
      return fileSchema.parse(JSON.parse(text)).hosts;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  get(name: string): OwnHost | undefined {
    return this.list().find(host => host.name === name);
  }

  /** Adds it, or changes its price. */
  set(host: OwnHost): void {
    this.#write([...this.list().filter(({ name }) => name !== host.name), host]);
  }

  remove(name: string): void {
    this.#write(this.list().filter(host => host.name !== name));
  }

  #write(hosts: readonly OwnHost[]): void {
    writeFileAtomic(this.#file, `${JSON.stringify({ hosts }, null, 2)}\n`);
  }

  #unreadable(cause: unknown): HitchError {
    return new HitchError('BAD_INPUT', `The list of your machines, ${this.#file}, cannot be read.`, {
      next: `Correct the file, or remove it and add your machines again: hitch networks add ssh <name>.`,
      cause,
    });
  }
}

/** @throws HitchError BAD_INPUT */
export function readHostName(text: string): string {
  const { data } = hostNameSchema.safeParse(text);
  if (data === undefined) {
    throw new HitchError('BAD_INPUT', `"${shownName(text)}" is not a name that ssh has for one machine.`, {
      field: 'name',
      next: 'Write it as after ssh: a name of your ~/.ssh/config, or user@address.',
    });
  }
  return data;
}
