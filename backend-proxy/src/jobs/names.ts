/** What a job is called when nobody named it: after what it runs, with a number where that is taken. */
import { HitchError, type JobWork, jobNameSchema } from '@hitch/contract';

const SCRIPT = /\.(?:py|sh|ipynb|R|jl)$/i;
const LONGEST = 50;

export function jobNameFor(work: JobWork, isTaken: (name: string) => boolean): string {
  const stem = stemOf(work)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, '');
  return freeName(jobNameSchema.safeParse(stem).success ? stem : 'job', isTaken);
}

/** The name, or with the first number from 2 on that is free. */
export function freeName(name: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const tried = number === 1 ? name : `${name}-${number.toString()}`;
    if (!isTaken(tried)) {
      return tried;
    }
  }
}

function stemOf(work: JobWork): string {
  switch (work.kind) {
    case 'notebook':
      return lastPart(work.path).replace(SCRIPT, '');
    case 'script':
      return 'script';
    case 'command':
    case 'nodes':
      return lastPart(work.command.find(word => SCRIPT.test(word)) ?? work.command[0] ?? '').replace(
        SCRIPT,
        '',
      );
  }
}

const lastPart = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

export const nameTaken = (name: string): HitchError =>
  new HitchError('NAME_TAKEN', `There is a job ${name} already.`, {
    field: 'name',
    next: 'Choose another name, or none.',
  });

/** A job's name as a cluster's, which begins with a letter and is shorter. */
export const clusterNameOf = (name: string): string => {
  const short = (/^[a-z]/.test(name) ? name : `job-${name}`).slice(0, 36).replace(/-+$/, '');
  return short.length < 2 ? `job-${short}` : short;
};
