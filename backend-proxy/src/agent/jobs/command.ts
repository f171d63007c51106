/** The program and arguments that a job's runner starts, for each kind of work. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { notebookCopy } from '@hitch/contract';
import type { JobFolder, JobRecord } from './job-folder.ts';
import type { JobGround, JobPlace } from './job-place.ts';

export function commandOf(
  { name, spec: { work, graceMs } }: JobRecord,
  folder: JobFolder,
  { program, workFolder }: Pick<JobPlace, 'program' | 'workFolder'>,
  { python }: JobGround,
): readonly string[] {
  switch (work.kind) {
    case 'command':
      return work.command;
    case 'script':
      folder.put('script', work.script);
      return [existsSync('/bin/bash') ? '/bin/bash' : 'sh', folder.scriptPath];
    case 'nodes':
      return [
        python,
        join(program, 'nodes.py'),
        ...['--nodes', work.nodes.toString(), '--grace-s', (graceMs / 2_000).toString()],
        ...(work.torchrun ? ['--torchrun'] : []),
        ...(work.processes === null ? [] : ['--processes', work.processes.toString()]),
        '--',
        ...work.command,
      ];
    case 'notebook':
      return [
        python,
        join(program, 'notebook.py'),
        join(workFolder, work.path),
        join(workFolder, notebookCopy(work.path, name)),
        ...(work.cells === null ? [] : [work.cells.first.toString(), work.cells.last.toString()]),
      ];
  }
}
