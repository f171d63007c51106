/** What a job is called when nobody named it: after what it runs, with a number where that is taken. */
import { type JobWork, jobNameSchema } from '@hitch/contract';

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
