/** Ray over all nodes: the head first, then the workers join it. The notebook runs before Ray is complete. */
import { type AgentStatus, type EngineConfig, format, PRACTICE_LABEL } from '@hitch/contract';
import type { Engine, EnginePlan, EngineRetry, Member } from './engine.ts';

/** The first Ray whose cluster can be closed to others by a token. */
const OLDEST = [2, 52] as const;

/** Why this Ray cannot be used, as a sentence, or null. */
export function rayProblem(version: string | null): string | null {
  if (version === null) {
    return null;
  }
  const [major, minor] = version.split('.').map(Number);
  const old =
    major === undefined ||
    minor === undefined ||
    Number.isNaN(major) ||
    Number.isNaN(minor) ||
    major < OLDEST[0] ||
    (major === OLDEST[0] && minor < OLDEST[1]);
  return old
    ? `Ray ${version} cannot be closed to strangers by a token; Hitch needs Ray ${OLDEST.join('.')} or newer.`
    : null;
}

function configFor(member: Member, head: string | null, token: string): EngineConfig | null {
  const { facts, index } = member;
  if (facts === null) {
    return null;
  }
  return {
    kind: 'ray',
    role: index === 0 ? 'head' : 'worker',
    rayVersion: null,
    headAddress: head,
    nodeAddress: facts.nodeAddress,
    portBase: facts.portBase,
    numCpus: facts.cpuCores,
    numGpus: facts.gpuCount,
    gpuModel: facts.gpuModel,
    labels: { 'hitch-node': member.nodeId, ...(facts.practice ? { [PRACTICE_LABEL]: 'true' } : {}) },
    token,
  };
}

function startsOf(
  members: readonly Member[],
  headAddress: string | null,
  token: string,
): EnginePlan['starts'] {
  return members.flatMap(member => {
    const canStart =
      member.status?.engine.state === 'off' && (member.index === 0 || headAddress !== null) && !member.lost;
    const config = canStart ? configFor(member, member.index === 0 ? null : headAddress, token) : null;
    return config === null ? [] : [{ nodeId: member.nodeId, config }];
  });
}

function failuresOf(members: readonly Member[]): EnginePlan['failed'] {
  return members.flatMap(({ nodeId, index, status, lost }) => {
    if (status === null || lost) {
      return [];
    }
    const problem = rayProblem(status.engine.rayVersion);
    const where = index === 0 ? 'on the head' : `on node ${(index + 1).toString()}`;
    if (problem !== null) {
      return [{ nodeId, sentence: problem }];
    }
    if (index === 0 && status.jupyter.state === 'failed') {
      return [{ nodeId, sentence: `The notebook server does not start: ${status.jupyter.message}` }];
    }
    return status.engine.state === 'failed'
      ? [{ nodeId, sentence: `Ray does not start ${where}: ${status.engine.message}` }]
      : [];
  });
}

export const ray: Engine = {
  kind: 'ray',
  needs: { ray: true },
  plan(members, { token }) {
    const head = members.find(({ index }) => index === 0);
    const headStatus = head?.status ?? null;
    const headAddress = headStatus?.engine.state === 'running' ? headStatus.engine.headAddress : null;
    const failed = failuresOf(members);
    const runs = members.filter(
      ({ nodeId, index, status, lost }) =>
        !lost &&
        status?.engine.state === 'running' &&
        (index > 0 || status.jupyter.state === 'running') &&
        !failed.some(other => other.nodeId === nodeId),
    );
    const wanted = members.filter(({ lost }) => !lost).length;
    const alive = headStatus?.engine.nodesAlive ?? 0;
    return {
      starts: startsOf(members, headAddress, token),
      ready: runs.map(({ nodeId }) => nodeId),
      failed,
      retries: members.flatMap(({ nodeId, status, lost }) => {
        const retry = retryOf(lost ? null : status);
        return retry === null ? [] : [{ nodeId, ...retry }];
      }),
      engine: condition({
        known: headStatus !== null,
        up: headAddress !== null,
        alive,
        wanted,
        running: runs.length,
        again: triedAgain(members),
      }),
    };
  },
};

/** `, try 2: its dashboard did not start`, for the row; what the machine said besides is in its own line. */
function triedAgain(members: readonly Member[]): string {
  const tries = members.flatMap(({ status, lost }) => retryOf(lost ? null : status) ?? []);
  const worst = tries.toSorted((one, other) => other.number - one.number)[0];
  return worst === undefined
    ? ''
    : `, try ${worst.number.toString()}: ${format.clause(worst.reason.split(': ')[0] ?? '')}`;
}

function retryOf(status: AgentStatus | null): EngineRetry | null {
  const engine = status?.engine;
  return engine === undefined || engine.restarts === 0 || engine.state === 'running' || engine.state === 'off'
    ? null
    : { number: engine.restarts + 1, reason: engine.message };
}

function condition(state: {
  known: boolean;
  up: boolean;
  alive: number;
  wanted: number;
  running: number;
  again: string;
}): EnginePlan['engine'] {
  const { known, up, alive, wanted, running, again } = state;
  if (!known) {
    return { status: 'unknown', reason: 'no_answer', message: '' };
  }
  if (!up) {
    return { status: 'no', reason: 'ray_starting', message: `Ray 0/${wanted.toString()}${again}` };
  }
  return alive >= wanted && running >= wanted
    ? { status: 'yes', reason: 'complete', message: '' }
    : {
        status: 'no',
        reason: 'ray_joining',
        message: `Ray ${Math.min(alive, wanted).toString()}/${wanted.toString()}${again}`,
      };
}
