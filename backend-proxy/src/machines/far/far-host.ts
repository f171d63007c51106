/** The way in to a machine that is reached by ssh: it is set up there, and its agent started and reached. */
import { readFileSync } from 'node:fs';
import { shownName } from '@hitch/contract';
import {
  type AgentLinkTransport,
  type ClosedPorts,
  type EnvironmentLock,
  type Host,
  HostError,
  type HostFacts,
  type MachineAddress,
  type NetworkSpeed,
  type PythonNeeds,
} from '../../access/host.ts';
import type { FarShell } from '../../access/tunnel/far-shell.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { FRUGAL_ALLOCATOR, FRUGAL_FLAGS } from '@hitch/platform/src/memory.ts';
import { lastingConfig } from '../agent-config.ts';
import { PORTS_PER_NODE, portBases } from '../port-blocks.ts';
import { type RunCommand, runCommand } from '../python.ts';
import {
  aboutMachine,
  type AtReboot,
  atRebootSchema,
  parseTorch,
  rebootOf,
  type TorchSays,
  machineHas,
} from './about.ts';
import { bootstrap } from './bootstrap.ts';
import { closedRules, wholeRules } from './closed-rules.ts';
import { gpusOfUse } from './gpus-of-use.ts';
import { measureNetwork, parseNetwork } from './network-speed.ts';
import type { FarGpu } from './nvidia.ts';
import type { FarFacts } from './facts.ts';
import type { Found, LastLook } from './last-look.ts';
import { lookAt, overSsh, runWith } from './far-programs.ts';
import { checkClosed, checkPromise, chooseRoot, programsFor, type Promised } from './place.ts';
import { startProblem } from './problems.ts';
import { hashOf, joinProgram, machineFolder, socketOf } from './paths.ts';
import { archOf } from './wheels.ts';
import { CANCEL, CLOSE, LOG, LOOP, PREPARE, START } from './program-texts.ts';

export interface FarHostOptions {
  readonly shell: FarShell;
  /** Names the machine's folder there and tags its processes. */
  readonly ref: string;
  readonly address: MachineAddress;
  /** A folder there, absolute or below the home folder, without which the machine is gone; null: there is none. */
  readonly lease: string | null;
  /** What the machine was taken for; null: whatever it has. */
  readonly promised: Promised | null;
  readonly clock: Clock;
  /** What earlier ways to it have found; left out: there were none. */
  readonly last?: LastLook;
  /** This computer's environment, for the package index that its user has set. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Runs this computer's pip, for machines that reach no index. */
  readonly run?: RunCommand;
}

/** What its folder there says. */
interface Prepared {
  readonly portBase: number;
  /** Those of this use; another one may have the rest. */
  readonly gpus: readonly FarGpu[];
  readonly atReboot: AtReboot;
  readonly torch: TorchSays | null;
  readonly network: NetworkSpeed | null;
}

export class FarHost implements Host {
  readonly address: MachineAddress;
  readonly #options: FarHostOptions;
  /** Found out over this way, and true as long as it is open. */
  #found: Found | null = null;
  /** Something of that is known better by the machine itself. */
  #isOld = false;
  #prepared: Prepared | null = null;

  constructor(options: FarHostOptions) {
    this.#options = options;
    this.address = options.address;
  }

  async facts(signal: AbortSignal): Promise<HostFacts> {
    if (this.#isOld) {
      this.#isOld = false;
      this.#found = null;
    }
    this.#prepared = await this.#prepare(signal);
    const found = await this.#find(signal);
    const answer = this.#hostFacts(found, this.#prepared);
    this.#options.last?.set({ found, facts: answer });
    return answer;
  }

  /** Makes its folder there, and reads what it says. */
  async #prepare(signal: AbortSignal): Promise<Prepared> {
    const { shell, ref, lease, promised } = this.#options;
    const { facts, root } = await this.#find(signal);
    if (promised !== null) {
      checkPromise(shell.name, facts, promised);
    }
    const values = { ROOT: root, REF: ref, LEASE: lease ?? '', BLOCKS: freeBlocks(facts, ref).join(' ') };
    const { code, lines, said } = await runWith(shell, PREPARE, values, signal);
    if (lines.includes('::gone')) {
      throw new HostError(`${shell.name} is not rented any more: its lease is gone.`, { fatal: true });
    }
    const told = (word: string): string | undefined =>
      lines.map(line => new RegExp(`^::${word} (.+)$`).exec(line)?.[1]).find(value => value !== undefined);
    const ports = told('ports');
    if (code !== 0 || ports === undefined) {
      throw new HostError(`${root} on ${shell.name} cannot be written to: ${said || 'it said nothing'}.`, {
        fatal: false,
      });
    }
    if (ports === 'none') {
      throw new HostError(
        `All ports that Hitch uses on ${shell.name} are taken: end a cluster there first.`,
        {
          fatal: false,
        },
      );
    }
    return {
      portBase: Number(ports),
      gpus: gpusOfUse(shell.name, facts, told('gpus') ?? null),
      atReboot: atRebootSchema.safeParse(told('reboot')).data ?? rebootOf(facts),
      torch: parseTorch(told('torch') ?? '', facts.boot),
      network: parseNetwork(told('network') ?? ''),
    };
  }

  async measureNetwork(
    { isPriced }: { readonly isPriced: boolean },
    signal: AbortSignal,
  ): Promise<HostFacts> {
    const { shell, clock, environment = process.env, last } = this.#options;
    const prepared = this.#prepared ?? (await this.#prepare(signal));
    const found = await this.#find(signal);
    const { facts, root } = found;
    const network = await measureNetwork(
      {
        ...{ shell, clock, root, environment, isPriced },
        programs: programsFor(shell.name, facts),
        before: prepared.network,
      },
      signal,
    );
    this.#prepared = { ...prepared, network };
    const answer = this.#hostFacts(found, this.#prepared);
    last?.set({ found, facts: answer });
    return answer;
  }

  async ensurePython(
    needs: PythonNeeds,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { shell, ref, environment = process.env, run = runCommand } = this.#options;
    const { facts, root } = await this.#find(signal);
    if (needs.ray && this.address.privateAddress !== null) {
      // Other machines reach it there, and then so does whoever reaches any other address of it.
      checkClosed(shell.name, facts);
    }
    const { python } = await bootstrap({
      shell,
      ref,
      root,
      facts,
      programs: programsFor(shell.name, facts),
      needs,
      own: null,
      environment,
      run,
      report,
      signal,
    });
    if (facts.places.find(place => place.root === root)?.writesMBps === null) {
      // It is known now how fast its disk is: whoever asks for facts next is to hear that. The agent starts without.
      this.#isOld = true;
      this.#options.last?.forget();
    }
    return python;
  }

  async ensureEnvironment(
    lock: EnvironmentLock,
    report: (sentence: string) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { shell, ref, environment = process.env, run = runCommand } = this.#options;
    const { facts, root } = await this.#find(signal);
    const platform = `linux-${archOf(facts.arch) ?? facts.arch}`;
    if (platform !== lock.platform) {
      throw new HostError(
        `${shell.name} is ${platform}, and ${shownName(lock.file)} was locked for ${lock.platform}: lock it for ${platform} (--platform).`,
        { fatal: true },
      );
    }
    const programs = programsFor(shell.name, facts);
    const needs = { ray: false };
    const { python } = await bootstrap({
      ...{ shell, ref, root, facts, programs, needs, own: lock, environment, run, report, signal },
    });
    return python;
  }

  async endEnvironment({ id }: EnvironmentLock, signal: AbortSignal): Promise<void> {
    const { shell, ref } = this.#options;
    const { root } = await this.#find(signal);
    const { code } = await runWith(shell, CANCEL, { ROOT: root, RUN: ref, LOCK_NAME: id }, signal);
    if (code !== 0) {
      throw new HostError(`${shell.name} goes on making an environment that was cancelled.`, {
        fatal: false,
      });
    }
  }

  async startAgent(agent: { bundlePath: string; config: string }, signal: AbortSignal): Promise<void> {
    const { shell, ref, lease } = this.#options;
    const { facts, root } = await this.#find(signal);
    const bundle = bundleOf(agent.bundlePath);
    const folder = `${root}/cache/agent`;
    const program = { path: `${folder}/agent-${hashOf(bundle)}.mjs`, content: bundle };
    const loop = { path: `${folder}/loop-${hashOf(LOOP)}.sh`, content: Buffer.from(LOOP) };
    const values = {
      ROOT: root,
      REF: ref,
      LEASE: lease ?? '',
      BUNDLE: program.path,
      LOOP_PROGRAM: loop.path,
      NODE_NAME: programsFor(shell.name, facts).node.name,
      STARTED_FROM: `${hashOf(bundle)}-${hashOf(lastingConfig(agent.config))}-${hashOf(LOOP)}`,
      AGENT_ENVIRONMENT,
      NODE_FLAGS: FRUGAL_FLAGS.join(' '),
      LISTEN: socketOf(root, ref),
      CRON: facts.cron && isPlain(root) ? 'yes' : '',
      UNIT: facts.unit && isPlain(root) ? 'yes' : '',
      CONFIG: agent.config,
    };
    let { lines } = await runWith(shell, START, values, signal);
    if (lines[0]?.startsWith('::missing') === true) {
      await Promise.all(
        [program, loop].map(({ path, content }) => overSsh(() => shell.put(path, content, 0o600, signal))),
      );
      ({ lines } = await runWith(shell, START, values, signal));
    }
    const [first = '', ...log] = lines;
    if (first !== '::runs' && first !== '::started') {
      throw startProblem(first, log.join('\n'), shell.name);
    }
  }

  async connect(signal: AbortSignal): Promise<AgentLinkTransport> {
    const { shell, ref, last } = this.#options;
    const { facts, root } = this.#found ?? last?.get()?.found ?? (await this.#find(signal));
    const join = joinProgram(root, programsFor(shell.name, facts).node.name, socketOf(root, ref));
    const address = await overSsh(() => shell.forward(socketOf(root, ref), { join, signal }));
    // The way is the connection's, which others use too: whoever made that one closes it.
    return { address, close: () => Promise.resolve() };
  }

  async closePorts({ portBase, peers }: ClosedPorts, signal: AbortSignal): Promise<string | null> {
    const { shell } = this.#options;
    const { privateAddress, ssh } = this.address;
    const { facts, root } = await this.#find(signal);
    // Where an engine listens on more than the loopback.
    const listens = privateAddress !== null;
    const sshPort = ssh?.kind === 'rented' ? (facts.reachedAt?.port ?? null) : null;
    if (!listens && sshPort === null) {
      return null;
    }
    if (listens) {
      checkClosed(shell.name, facts);
    }
    if (facts.staysOpen !== null) {
      return listens ? facts.staysOpen : null;
    }
    const { ref } = this.#options;
    const rules =
      sshPort === null
        ? closedRules({ ref, firstPort: portBase, lastPort: portBase + PORTS_PER_NODE - 1, peers })
        : wholeRules({ ref, sshPort, peers });
    return this.#close(root, rules, { must: listens && facts.publicAddresses.length > 0, signal });
  }

  /** @returns why they stay open. @throws HostError where that may not be. */
  async #close(
    root: string,
    rules: string,
    { must, signal }: { readonly must: boolean; readonly signal: AbortSignal },
  ): Promise<string | null> {
    const { shell, ref } = this.#options;
    const values = { ROOT: root, REF: ref, RULES: rules, MUST: must ? 'yes' : '' };
    const { lines, said } = await runWith(shell, CLOSE, values, signal);
    const last = lines.at(-1) ?? '';
    if (last === '::closed') {
      return null;
    }
    if (last === '::gone') {
      throw new HostError(`Its folder on ${shell.name} is gone.`, { fatal: false });
    }
    const why = shownName(last.replace(/^::open ?/, '') || said || 'nft said nothing');
    if (must || !last.startsWith('::open')) {
      throw new HostError(`The ports of ${shell.name} cannot be closed to others: ${why}.`, {
        fatal: must && last.startsWith('::open'),
      });
    }
    return why;
  }

  async readLog(
    name: 'agent' | 'jupyter' | 'ray' | 'bootstrap',
    bytes: number,
    signal: AbortSignal,
  ): Promise<string> {
    const { shell, ref } = this.#options;
    const { root } = await this.#find(signal);
    const log =
      name === 'bootstrap'
        ? `${root}/bootstrap/${ref}.log`
        : `${machineFolder(root, ref)}/state/logs/${name}.log`;
    const input = `LOG=${log}\nBYTES=${Math.max(0, Math.trunc(bytes)).toString()}\n`;
    const { stdout } = await overSsh(() => shell.run(LOG, { input, signal, maxBytes: bytes + 1024 }));
    return stdout;
  }

  #hostFacts(found: Found, { portBase, gpus, atReboot, torch, network }: Prepared): HostFacts {
    const { facts, root, clockAheadS } = found;
    const { name } = this.#options.shell;
    const usesGpus = gpus.length > 0;
    const isReached = this.address.privateAddress !== null;
    return {
      stateFolder: `${machineFolder(root, this.#options.ref)}/state`,
      workFolder: `${machineFolder(root, this.#options.ref)}/work`,
      listen: socketOf(root, this.#options.ref),
      // On its loopback everything of an engine's listens where nothing outside of the machine reaches it.
      nodeAddress: this.address.privateAddress ?? '127.0.0.1',
      portBase,
      cpuCores: facts.cpuCores,
      gpuCount: gpus.length,
      gpuModel: gpus[0]?.model ?? null,
      practice: false,
      ...(this.address.privateAddress === null ? {} : { addresses: facts.privateAddresses }),
      about: aboutMachine({ name, facts, root, atReboot, torch, network, clockAheadS, usesGpus, isReached }),
      has: machineHas(facts, { clockAheadS, network }),
    };
  }

  async #find(signal: AbortSignal): Promise<Found> {
    if (this.#found === null) {
      const { shell } = this.#options;
      const facts = await lookAt(shell, signal);
      programsFor(shell.name, facts);
      const clockAheadS = facts.clockS - this.#options.clock.now() / 1_000;
      this.#found = { facts, root: chooseRoot(shell.name, facts), clockAheadS };
    }
    return this.#found;
  }
}

/** Ray renames its processes; without SPT_NOENV the new title is written over the environment, and the tag with it. */
const AGENT_ENVIRONMENT = Object.entries({ SPT_NOENV: '1', ...FRUGAL_ALLOCATOR })
  .map(([name, value]) => `${name}=${value}`)
  .join(' ');

/** Neither cron nor systemd reads anything else into it. */
const isPlain = (path: string): boolean => /^[\w./+@-]+$/.test(path);

/** Blocks in which nothing listens, in an order of this ref's own: other users of the machine take from the same ones. */
function freeBlocks({ listeningPorts }: FarFacts, ref: string): readonly number[] {
  const free = portBases().filter(({ first, last }) =>
    [...listeningPorts].every(port => port < first || port > last),
  );
  const start = Number.parseInt(hashOf(ref).slice(0, 6), 16) % Math.max(1, free.length);
  return [...free.slice(start), ...free.slice(0, start)].map(({ first }) => first);
}

function bundleOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HostError(`The agent's program ${path} cannot be read: install Hitch again.`, {
      fatal: true,
      cause,
    });
  }
}
