/** `hitch env`: what a cluster's kernels, shells and engine run in, and another one for it. */
import {
  changeQuestion,
  type Cluster,
  environmentState,
  environmentWords,
  format,
  type HitchClient,
  HitchError,
  type LockedEnvironment,
  pythonVersionSchema,
  shownName,
} from '@hitch/contract';
import * as z from 'zod';
import { findCluster, followCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { lockOrSay, readEnvironmentFile } from '../environment-file.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptible, InterruptedError } from '../interrupts.ts';
import { LiveLine } from '../screen/live-line.ts';
import { confirm } from '../screen/prompt.ts';
import { clusterRef, oneOf } from '../values.ts';

const ACTIONS = ['show', 'set', 'add', 'reset', 'cancel'] as const;

const envSchema = z.object({
  cluster: clusterRef.optional(),
  action: oneOf(ACTIONS).default('show'),
  what: z.array(z.string()).default([]),
  python: pythonVersionSchema.optional(),
  platform: oneOf(['linux-x86_64', 'linux-aarch64']).optional(),
  clean: z.boolean().default(false),
  yes: z.boolean().default(false),
  json: z.boolean().default(false),
});
type EnvInput = z.output<typeof envSchema>;
type Api = HitchClient['api'];

async function clean({ io }: Context, api: Api, json: boolean): Promise<ExitCode> {
  const result = await api.environments.clean();
  if (json) {
    io.json(result);
  } else {
    const { removed, freedBytes } = result;
    io.line(
      removed === 0
        ? 'Every environment on this computer is used by a cluster.'
        : `Removed ${removed.toString()} ${removed === 1 ? 'environment' : 'environments'} that no cluster uses: ${format.bytes(freedBytes)}. The packages stay in uv’s cache (uv cache prune).`,
    );
  }
  return EXIT.ok;
}

async function show({ io, clock }: Context, api: Api, cluster: Cluster, json: boolean): Promise<ExitCode> {
  const { environment } = cluster;
  const id = environment?.id ?? null;
  const lock = id === null ? null : await api.environments.get({ id });
  if (json) {
    io.json({ environment, lock });
    return EXIT.ok;
  }
  io.line(lock === null ? `${cluster.name} runs on Hitch’s own packages.` : environmentWords(lock));
  lock?.packages.forEach(({ name, version }) => io.line(`  ${name} ${version}`));
  for (const { name, version, atMs, node } of environment?.added ?? []) {
    const where = cluster.nodes.length === 1 ? '' : `, node ${(node + 1).toString()}`;
    io.line(
      io.style(
        'green',
        `+ ${shownName(name)} ${shownName(version)}  added ${format.clock(atMs, clock.now())}${where}`,
      ),
    );
  }
  const state = environment === undefined ? null : environmentState(environment);
  if (state !== null) {
    io.line(io.style('yellow', state));
  }
  return EXIT.ok;
}

/** The lock to change to; null: what the cluster was rented with. */
async function wanted(
  context: Context,
  api: Api,
  cluster: Cluster,
  input: EnvInput,
): Promise<LockedEnvironment | null> {
  const { action, what, python, platform, json } = input;
  const [first] = what;
  if (action === 'reset') {
    return null;
  }
  if (first === undefined || (action === 'set' && what.length > 1)) {
    throw new HitchError(
      'BAD_INPUT',
      action === 'set' ? '“set” wants one file.' : '“add” wants packages, such as einops.',
      {
        next: `hitch env ${cluster.name} ${action === 'set' ? 'set requirements.txt' : 'add einops'}`,
      },
    );
  }
  return lockOrSay(
    context,
    api,
    {
      clusterId: cluster.id,
      python: python ?? null,
      ...(platform === undefined ? {} : { platform }),
      ...(action === 'set' ? { file: await readEnvironmentFile(context.cwd, first) } : { add: [...what] }),
    },
    json,
  );
}

async function agree({ io }: Context, cluster: Cluster, { yes, json }: EnvInput): Promise<void> {
  if (yes) {
    return;
  }
  const effects = changeQuestion(cluster).join(' ');
  if (json || !io.interactive) {
    throw new CommandFailure(
      EXIT.declined,
      'BAD_INPUT',
      `Changing the environment needs your approval. ${effects}`,
      {
        next: 'Add --yes.',
      },
    );
  }
  if (!(await confirm(io, `Change the environment of ${cluster.name}? ${effects}`))) {
    throw new CommandFailure(EXIT.declined, 'CONFLICT', 'Nothing was changed.');
  }
}

/** Follows it to its end; Ctrl-C ends the change, and all stays as it was. */
async function follow(context: Context, api: Api, cluster: Cluster, json: boolean): Promise<ExitCode> {
  const { io } = context;
  const line = new LiveLine(io);
  const asked = cluster.environment?.change ?? null;
  let last = cluster;
  try {
    await interruptible(context.interrupts, async signal => {
      const changed = ({ environment }: Cluster): boolean =>
        environment === undefined || environment.change === null;
      last = await followCluster(context, cluster.id, changed, {
        signal,
        seen: ({ environment }) => {
          const change = environment?.change ?? null;
          if (!json && change !== null) {
            const message = change.message === '' ? 'Changing the environment.' : change.message;
            line.show(format.elapsed(context.clock.now() - change.sinceMs), message, message);
          }
        },
      });
    });
  } catch (error) {
    if (error instanceof InterruptedError) {
      await api.clusters.keepEnvironment({ clusterId: cluster.id });
      throw new CommandFailure(EXIT.interrupted, 'CONFLICT', 'Cancelled; the environment is what it was.');
    }
    throw error;
  } finally {
    line.clear();
  }
  const problem = last.environment?.problem ?? null;
  if (problem !== null) {
    throw new CommandFailure(EXIT.clusterFailed, 'CONFLICT', problem);
  }
  if (asked !== null && last.environment?.id !== asked.id) {
    throw new CommandFailure(
      EXIT.interrupted,
      'CONFLICT',
      'The change was cancelled; the environment is what it was.',
    );
  }
  if (json) {
    io.json(last);
  } else {
    io.line(`Changed. Restart a kernel of ${cluster.name} to use it.`);
  }
  return EXIT.ok;
}

export const addEnv = defineCommand({
  usage: 'env [cluster] [action] [what...]',
  summary: 'the packages of a cluster: show, set FILE, add PACKAGE…, reset, cancel',
  examples: [
    ['hitch env llm-dev', 'what is pinned, and what was added by hand'],
    ['hitch env llm-dev set requirements.txt', 'lock it and change to it, on all machines'],
    ['hitch env llm-dev add einops "peft>=0.21"', 'with these besides'],
    ['hitch env llm-dev reset', 'what it was rented with'],
    ['hitch env --clean', 'remove environments on this computer that no cluster uses'],
  ],
  options: command =>
    command
      .option('--python <version>', 'the Python for “set”, such as 3.12')
      .option('--platform <name>', 'lock for linux-x86_64 or linux-aarch64')
      .option('--clean', 'remove environments on this computer that no cluster uses')
      .option('-y, --yes', 'do not ask'),
  schema: envSchema,
  run: async (context, input) => {
    const { api } = await context.session();
    if (input.clean) {
      return clean(context, api, input.json);
    }
    if (input.cluster === undefined) {
      throw new HitchError('BAD_INPUT', 'Name a cluster; hitch ls shows them.', { field: 'cluster' });
    }
    const cluster = await findCluster(api, input.cluster);
    switch (input.action) {
      case 'show':
        return show(context, api, cluster, input.json);
      case 'cancel':
        await api.clusters.keepEnvironment({ clusterId: cluster.id });
        context.io.line('Cancelled; the environment is what it was.');
        return EXIT.ok;
      default: {
        const lock = await wanted(context, api, cluster, input);
        if (lock !== null && !input.json) {
          context.io.line(environmentWords(lock));
        }
        await agree(context, cluster, input);
        const changing = await api.clusters.changeEnvironment({
          clusterId: cluster.id,
          environment: lock?.id ?? null,
        });
        return follow(context, api, changing, input.json);
      }
    }
  },
});
