/** Which machines are told to close their ports, to whom, and when again. */
import assert from 'node:assert/strict';
import type { NodeId } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { type ClosedPorts, type Host, HostError, type HostFacts } from '../../src/access/host.ts';
import { PortCloser, type Standing } from '../../src/clusters/close-ports.ts';
import type { SshAddress } from '../../src/ledger/records.ts';

const nodeId = (name: string): NodeId => name as NodeId;
const never = (): Promise<never> => Promise.reject(new Error('not asked here'));
const signal = new AbortController().signal;

interface Machine {
  readonly privateAddress: string | null;
  readonly isRented?: boolean;
  readonly addresses?: readonly string[];
  /** Null: it has no ports to close. */
  readonly answer?: (() => Promise<string | null>) | null;
}

const RENTED: SshAddress = { kind: 'rented', host: '192.0.2.7', port: 22, user: 'root', hostKeys: null };

function standing(machines: Record<string, Machine>) {
  const said: string[] = [];
  const clock = new VirtualClock();
  const hostOf = (name: string, { privateAddress, isRented = false, answer }: Machine): Host => ({
    address: { at: name, hostKey: null, ssh: isRented ? RENTED : null, proof: null, privateAddress },
    facts: never,
    ensurePython: never,
    startAgent: never,
    connect: never,
    readLog: never,
    ...(answer === null
      ? {}
      : {
          closePorts: ({ portBase, peers }: ClosedPorts) => {
            said.push(`${name} ${portBase.toString()}: ${peers.join(' ')}`);
            return answer?.() ?? Promise.resolve(null);
          },
        }),
  });
  const factsOf = ({ addresses }: Machine): HostFacts => ({
    stateFolder: '/s',
    workFolder: '/w',
    listen: '/s/agent.sock',
    nodeAddress: '10.0.0.1',
    portBase: 12_000,
    ...(addresses === undefined ? {} : { addresses }),
    cpuCores: 1,
    gpuCount: 0,
    gpuModel: null,
    practice: false,
  });
  const ways = new Map(
    Object.entries(machines).map(([name, machine]) => [
      nodeId(name),
      { host: hostOf(name, machine), facts: factsOf(machine) },
    ]),
  );
  const closer = new PortCloser({
    calls: { limited: (_name, run) => run(signal) },
    clock,
    links: { get: id => ways.get(id) ?? null },
    log: silentLog,
  });
  return {
    clock,
    ways,
    close: (nodes: readonly Standing[], listens = true) => closer.close(nodes, listens),
    said: () => said.splice(0).toSorted(),
  };
}

const ONE: Standing = { nodeId: nodeId('one'), privateAddress: '10.0.0.1' };
const TWO: Standing = { nodeId: nodeId('two'), privateAddress: '10.0.0.2' };
const THREE: Standing = { nodeId: nodeId('three'), privateAddress: '10.0.0.3' };

describe('closing the ports of a cluster’s machines', () => {
  it('tells each machine where all others stand, those too that do not answer', async () => {
    const { close, said } = standing({
      one: { privateAddress: '10.0.0.1', addresses: ['10.0.0.1', '192.168.7.1'] },
      two: { privateAddress: '10.0.0.2' },
    });
    assert.deepEqual(await close([ONE, TWO, THREE]), { failed: [], againInMs: 60_000 });
    assert.deepEqual(said(), ['one 12000: 10.0.0.2 10.0.0.3', 'two 12000: 10.0.0.1 10.0.0.3 192.168.7.1']);
  });

  it('tells it again when the machines change, when the way in is another, and after a minute', async () => {
    const { close, said, clock, ways } = standing({ one: { privateAddress: '10.0.0.1' } });
    await close([ONE, TWO]);
    await close([ONE, TWO]);
    assert.deepEqual(said(), ['one 12000: 10.0.0.2']);
    await close([ONE, THREE]);
    assert.deepEqual(said(), ['one 12000: 10.0.0.3']);
    const way = ways.get(ONE.nodeId);
    assert.ok(way !== undefined);
    ways.set(ONE.nodeId, { ...way });
    await close([ONE, THREE]);
    assert.deepEqual(said(), ['one 12000: 10.0.0.3']);
    clock.jump(60_000);
    await close([ONE, THREE]);
    assert.deepEqual(said(), ['one 12000: 10.0.0.3']);
  });

  it('tells nobody whose ports no other machine reaches', async () => {
    const { close, said } = standing({
      one: { privateAddress: null },
      two: { privateAddress: '10.0.0.2', answer: null },
    });
    assert.deepEqual(await close([{ ...ONE, privateAddress: null }, TWO]), { failed: [], againInMs: null });
    assert.deepEqual(said(), []);
  });

  it('tells a rented machine whatever runs there, and one of a person’s own only of an engine that listens', async () => {
    const { close, said } = standing({
      one: { privateAddress: null, isRented: true },
      two: { privateAddress: '10.0.0.2' },
    });
    assert.deepEqual(await close([{ ...ONE, privateAddress: null }, TWO], false), {
      failed: [],
      againInMs: 60_000,
    });
    assert.deepEqual(said(), ['one 12000: 10.0.0.2']);
  });

  it('goes on where they stay open to a network, and gives up a node that the internet would reach', async () => {
    const refuse = () => Promise.reject(new HostError('It stays open.', { fatal: true }));
    const { close } = standing({
      one: { privateAddress: '10.0.0.1', answer: () => Promise.resolve('only root can') },
      two: { privateAddress: '10.0.0.2', answer: refuse },
    });
    const { failed } = await close([ONE, TWO]);
    assert.deepEqual(failed, [{ nodeId: TWO.nodeId, sentence: 'It stays open.' }]);
  });

  it('lets nobody join while a machine could not be told, and asks it again', async () => {
    let answers = false;
    const { close, said } = standing({
      one: {
        privateAddress: '10.0.0.1',
        answer: () =>
          answers ? Promise.resolve(null) : Promise.reject(new HostError('No answer.', { fatal: false })),
      },
    });
    await assert.rejects(close([ONE, TWO]), /No answer/);
    said();
    answers = true;
    await close([ONE, TWO]);
    assert.deepEqual(said(), ['one 12000: 10.0.0.2']);
  });
});
