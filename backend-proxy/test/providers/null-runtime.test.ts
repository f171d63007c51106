/** Machines without processes: their agent does what the real one does, as far as a launch can see. */
import assert from 'node:assert/strict';
import type { AgentConfig, EngineConfig } from '@hitch/contract';
import { HostError } from '../../src/access/host.ts';
import { plainTerms } from '../../src/ledger/terms.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { priceOf } from '../../src/providers/provider.ts';
import { SandboxMarket } from '../../src/providers/sandbox/market.ts';
import { memoryStorage } from '../../src/providers/sandbox/market-storage.ts';
import { agentWithoutProcess, NullRuntime } from '../../src/providers/sandbox/null-runtime.ts';
import { SandboxProvider } from '../../src/providers/sandbox/sandbox-provider.ts';
import { waysIn } from '../clusters/ways-in.ts';

const signal = new AbortController().signal;
const HOUR_MS = 3_600_000;

function configFor(ref: string, jupyter: boolean, watchdog: Partial<AgentConfig['watchdog']> = {}): string {
  return JSON.stringify({
    protocol: 1,
    clusterId: 'clu',
    clusterName: 'test',
    nodeId: `nod-${ref}`,
    ref,
    token: 'secret',
    listen: '/null',
    stateFolder: '/null',
    workFolder: '/null',
    python: '/null/python',
    jupyter,
    journal: {},
    watchdog: { stopAtMs: null, idleMs: null, ...watchdog },
  });
}

function engine(role: 'head' | 'worker', nodeAddress: string, headAddress: string | null): EngineConfig {
  return {
    kind: 'ray',
    role,
    rayVersion: '2.58.0',
    headAddress,
    nodeAddress,
    portBase: null,
    numCpus: 1,
    numGpus: 0,
    gpuModel: null,
    labels: {},
    token: 'token',
  };
}

async function market(options: { jupyterDelayMs?: number; engineDelayMs?: number } = {}) {
  const clock = new VirtualClock();
  const runtime = new NullRuntime({ clock, ...options });
  const sandbox = new SandboxMarket({ clock, storage: memoryStorage(), runtime, stock: 100, bootDelayMs: 0 });
  const provider = new SandboxProvider(sandbox);
  const [offer] = (await provider.offers(signal)).filter(({ endsBillingAlone }) => endsBillingAlone);
  assert.ok(offer !== undefined);
  const rent = async (ref: string) => {
    const instance = await provider.create(
      {
        ref,
        offer,
        terms: plainTerms(offer),
        maxPricePerHourMicroUsd: 10n ** 12n,
        members: 1,
        letIn: null,
        endAtMs: null,
      },
      signal,
    );
    const host = await waysIn(provider).host(instance, 0, signal);
    const agent = agentWithoutProcess((await host.connect(signal)).address);
    assert.ok(agent !== null);
    return { instance, host, agent, facts: await host.facts(signal) };
  };
  return { clock, provider, sandbox, rent };
}

describe('machines without processes', () => {
  it('bring up Jupyter after the agent, and say no before it was started', async () => {
    const { clock, rent } = await market({ jupyterDelayMs: 2_000 });
    const { host, agent } = await rent('hitch-a');
    await assert.rejects(agent.status(signal), HostError);
    await host.startAgent({ bundlePath: '/agent', config: configFor('hitch-a', true) }, signal);
    assert.equal((await agent.status(signal)).jupyter.state, 'starting');
    clock.jump(2_000);
    const status = await agent.status(signal);
    assert.equal(status.jupyter.state, 'running');
    assert.equal(status.ref, 'hitch-a');
    assert.equal(status.engine.state, 'off');
  });

  it('join workers to the head that they name, and count them', async () => {
    const { clock, rent } = await market({ engineDelayMs: 5_000 });
    const nodes = await Promise.all(['hitch-h', 'hitch-w1', 'hitch-w2'].map(rent));
    for (const [index, { host }] of nodes.entries()) {
      await host.startAgent(
        { bundlePath: '/a', config: configFor(`hitch-${index.toString()}`, index === 0) },
        signal,
      );
    }
    const [head, first, second] = nodes;
    assert.ok(head !== undefined && first !== undefined && second !== undefined);
    assert.equal(new Set(nodes.map(({ facts }) => facts.nodeAddress)).size, 3);
    await head.agent.startEngine(engine('head', head.facts.nodeAddress, null), signal);
    assert.equal((await head.agent.status(signal)).engine.headAddress, null);
    clock.jump(5_000);
    const { headAddress, nodesAlive } = (await head.agent.status(signal)).engine;
    assert.equal(headAddress, `${head.facts.nodeAddress}:6379`);
    assert.equal(nodesAlive, 1);
    await first.agent.startEngine(engine('worker', first.facts.nodeAddress, headAddress), signal);
    await second.agent.startEngine(engine('worker', second.facts.nodeAddress, '10.9.9.9:6379'), signal);
    clock.jump(5_000);
    assert.equal((await head.agent.status(signal)).engine.nodesAlive, 2);
    assert.equal((await first.agent.status(signal)).engine.state, 'running');
    assert.equal((await first.agent.status(signal)).engine.nodesAlive, null);
  });

  it('end themselves at their stop time, and the market stops billing there', async () => {
    const { clock, provider, sandbox, rent } = await market();
    const { instance, host, agent } = await rent('hitch-stops');
    const stopAtMs = clock.now() + HOUR_MS;
    await host.startAgent({ bundlePath: '/a', config: configFor('hitch-stops', true, { stopAtMs }) }, signal);
    clock.jump(HOUR_MS - 1);
    assert.equal((await agent.status(signal)).watchdog.stopAtMs, stopAtMs);
    clock.jump(HOUR_MS);
    await assert.rejects(agent.status(signal), HostError);
    const gone = await provider.get(instance.id, signal);
    assert.equal(gone.status, 'gone');
    assert.equal(gone.billedUntilMs, stopAtMs);
    assert.equal(sandbox.billed('hitch-stops'), priceOf(gone));
  });

  it('end when they are idle too long, or told to', async () => {
    const { clock, rent } = await market();
    const idle = await rent('hitch-idle');
    await idle.host.startAgent({ bundlePath: '/a', config: configFor('hitch-idle', true) }, signal);
    await idle.agent.setWatchdog(
      { stopAtMs: null, idleMs: 60_000, warnBeforeMs: 0, webhookUrl: null },
      signal,
    );
    const told = await rent('hitch-told');
    await told.host.startAgent({ bundlePath: '/a', config: configFor('hitch-told', true) }, signal);
    await told.agent.shutDown('test', signal);
    await assert.rejects(told.agent.status(signal), HostError);
    await idle.agent.status(signal);
    clock.jump(60_000);
    await assert.rejects(idle.agent.status(signal), HostError);
  });

  it('stop answering for good once the machine was destroyed', async () => {
    const { provider, rent } = await market();
    const { instance, host, agent } = await rent('hitch-gone');
    await host.startAgent({ bundlePath: '/a', config: configFor('hitch-gone', true) }, signal);
    await provider.destroy(instance.id, signal);
    await assert.rejects(agent.status(signal), (error: unknown) => error instanceof HostError && error.fatal);
    await assert.rejects(
      host.startAgent({ bundlePath: '/a', config: configFor('hitch-gone', true) }, signal),
      HostError,
    );
    await assert.rejects(host.connect(signal), HostError);
  });
});
