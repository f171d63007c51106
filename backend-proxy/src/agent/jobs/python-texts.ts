/** The Python that looks after jobs, as text: an agent is one file (scripts/bundle/texts.mjs). */
import { readFileSync } from 'node:fs';

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

/** By the name of its file on the node. */
export const JOB_PROGRAM = {
  'runner.py': textOf('../../../python/hitch_job/runner.py'),
  'resources.py': textOf('../../../python/hitch_job/resources.py'),
  'output.py': textOf('../../../python/hitch_job/output.py'),
  'one_node.py': textOf('../../../python/hitch_job/one_node.py'),
  'nodes.py': textOf('../../../python/hitch_job/nodes.py'),
  'notebook.py': textOf('../../../python/hitch_job/notebook.py'),
} as const;
