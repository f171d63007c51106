/** Why a far machine could not be made ready, each with its sentence. Pure: the tests read them all. */
import { HostError } from '../../access/host.ts';
import type { BootstrapEnd } from './bootstrap-log.ts';

export interface Where {
  /** What a person calls the machine. */
  readonly name: string;
  /** Hitch's folder there. */
  readonly root: string;
  /** Room that is left there; null where nobody looked. */
  readonly freeMiB: number | null;
}

/** So little room is none: a log or a status no longer fits. */
const NO_ROOM_MIB = 20;

export function bootstrapProblem(end: Exclude<BootstrapEnd, { kind: 'ok' }>, where: Where): HostError {
  if (end.kind === 'cut') {
    return where.freeMiB !== null && where.freeMiB < NO_ROOM_MIB
      ? full(where)
      : new HostError(
          `Setting ${where.name} up was ended half way, by somebody there or for want of memory; it goes on from there at the next try.`,
          { fatal: false },
        );
  }
  const { why, stage, words } = end;
  const cause = new Error(`${stage}: ${why}: ${words}`);
  const { name } = where;
  switch (why) {
    case 'full':
      return full(where, cause);
    case 'closed':
      return new HostError(`${where.root} on ${name} cannot be written to: ${sentence(words)}`, {
        fatal: true,
        cause,
      });
    case 'noexec':
      return new HostError(
        `${where.root} on ${name} forbids starting programs (noexec): mount it without that, or make a folder /data that ${name}'s user may write to.`,
        { fatal: true, cause },
      );
    case 'nothing':
      return new HostError(
        `There is no Python on ${name}, with which Hitch fetches what it needs: install Python 3.10 to 3.14 there.`,
        { fatal: true, cause },
      );
    case 'offline':
      return new HostError(
        `${name} does not reach the Python package index (${words}): let it reach the internet, or set pip's index-url there to an index that it reaches.`,
        { fatal: false, cause },
      );
    case 'unlisted':
      return new HostError(
        `The Python package index that ${name} uses lacks something that Hitch needs: ${words}. Set pip's index-url there to a whole copy of PyPI.`,
        { fatal: true, cause },
      );
    case 'changed':
      return new HostError(
        `What ${name} fetched is not what Hitch was made with, and was thrown away: ${words}. Its package index, or something on the way there, changes files.`,
        { fatal: true, cause },
      );
    default:
      return stage === 'python' ? pythonProblem(why, words, name, cause) : broken(stage, words, name, cause);
  }
}

function full({ name, root }: Where, cause?: Error): HostError {
  return new HostError(
    `The disk of ${name} is full: Hitch's programs and packages need about 2 GB in ${root}. Free some space there.`,
    { fatal: false, ...(cause === undefined ? {} : { cause }) },
  );
}

function pythonProblem(why: string, words: string, name: string, cause: Error): HostError {
  const install = `install Python 3.10 to 3.14 there`;
  switch (why) {
    case 'old':
      return new HostError(
        `${name} has Python ${words}, which is too old, and a newer one could not be fetched: ${install}.`,
        { fatal: true, cause },
      );
    case 'new':
      return new HostError(
        `${name} has Python ${words}, for which the pinned packages do not exist yet, and another one could not be fetched: ${install}.`,
        { fatal: true, cause },
      );
    case 'wanted':
      return new HostError(
        `${name} has no Python ${words}, and it could not be fetched: install it there, or choose another with --python.`,
        { fatal: true, cause },
      );
    case 'none':
      return new HostError(`There is no Python on ${name}, and none could be fetched: ${install}.`, {
        fatal: true,
        cause,
      });
    default:
      return new HostError(`The Python on ${name} cannot be used: ${sentence(words)}`, {
        fatal: true,
        cause,
      });
  }
}

function broken(stage: string, words: string, name: string, cause: Error): HostError {
  switch (stage) {
    case 'node':
      return new HostError(`Node does not run on ${name}: ${sentence(words)}`, { fatal: true, cause });
    case 'uv':
      return new HostError(`uv, which installs the packages, does not run on ${name}: ${sentence(words)}`, {
        fatal: true,
        cause,
      });
    default:
      return new HostError(`The packages could not be installed on ${name}: ${sentence(words)}`, {
        fatal: false,
        cause,
      });
  }
}

/** What a program said, with one full stop. */
function sentence(words: string): string {
  const text = words.trim() || 'it said nothing';
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What far/start.sh says where no agent came of it. @param said its first line */
export function startProblem(said: string, log: string, name: string): HostError {
  const [word = '', ...rest] = said.split(' ');
  switch (word) {
    case '::gone':
      return new HostError(`The cluster's folder on ${name} is gone.`, { fatal: true });
    case '::full':
      return new HostError(
        `The disk of ${name} is full: the agent's configuration could not be written there. Free some space.`,
        { fatal: false },
      );
    case '::stays':
      return new HostError(`The agent on ${name} does not end, and another one cannot take its place.`, {
        fatal: false,
      });
    case '::died': {
      const words = log.trim().split('\n').at(-1) ?? '';
      return new HostError(
        `The agent on ${name} ended as soon as it was started (code ${rest.join(' ')}): ${sentence(words)}`,
        { fatal: false },
      );
    }
    case '::missing':
      return new HostError(
        `${rest.join(' ')} is not on ${name} any more; it is put there again at the next try.`,
        {
          fatal: false,
        },
      );
    default:
      return new HostError(`${name} gave no answer to make sense of when the agent was started.`, {
        fatal: false,
      });
  }
}
