/** One open door to the agent of each running node: its address for the relay, and its routes for the reconcilers. */
import type {
  AgentEnvironment,
  AgentStatus,
  NodeEnvironmentSaid,
  EngineConfig,
  NodeId,
  NodeSsh,
  WatchdogConfig,
} from '@hitch/contract';
import { errorText } from '@hitch/platform/src/log.ts';
import type { AgentLink } from './agent-link.ts';
import { mustBe } from './not-understood.ts';
import type { AgentLinkTransport, Host, HostFacts } from './host.ts';

/** The agent's routes that the cluster side uses. Every call has a signal. */
export interface AgentPort {
  status(signal: AbortSignal): Promise<AgentStatus>;
  /** The status at once, at each change and at least every 10 s. Ends or throws when the way is gone. */
  watch(signal: AbortSignal): AsyncIterable<AgentStatus>;
  startEngine(config: EngineConfig, signal: AbortSignal): Promise<AgentStatus>;
  setWatchdog(config: WatchdogConfig, signal: AbortSignal): Promise<void>;
  /** The cluster is in use: idle time begins anew. */
  touch(signal: AbortSignal): Promise<void>;
  shutDown(reason: string, signal: AbortSignal): Promise<void>;
  /** Interrupts kernels at work and waits a moment for them to be idle; answers how many there were. */
  interruptKernels(signal: AbortSignal): Promise<number>;
  /** What starts from now on runs in another Python environment. */
  setEnvironment(environment: AgentEnvironment, signal: AbortSignal): Promise<NodeEnvironmentSaid>;
  /** Lets the bearer of this key in by ssh. */
  allowSsh(publicKey: string, signal: AbortSignal): Promise<NodeSsh>;
}

/** Speaks the agent's contract over a link. */
export type OpenAgent = (link: AgentLink) => AgentPort;

export interface Door {
  readonly host: Host;
  /** As the machine said them last. */
  readonly facts: HostFacts;
  /** Whether they were known from before, and the machine was not asked when this door was opened. */
  readonly isFromMemory: boolean;
  readonly agent: AgentPort;
  readonly link: AgentLink;
  readonly closed: AbortSignal;
}

interface OpenDoor {
  readonly door: Door;
  facts: HostFacts;
  readonly controller: AbortController;
  readonly transport: AgentLinkTransport;
}

export class Links {
  readonly #openAgent: OpenAgent;
  readonly #doors = new Map<NodeId, OpenDoor>();

  constructor(openAgent: OpenAgent) {
    this.#openAgent = openAgent;
  }

  get(nodeId: NodeId): Door | null {
    return this.#doors.get(nodeId)?.door ?? null;
  }

  /**
   * Opens the way to a node's agent, and makes sure that it answers with this node's token. A machine that is known is not
   * asked what it is first; where nobody answers as it was known, the next try asks.
   * @param asked what it has said a moment ago; null: whatever is known of it
   */
  async open(
    nodeId: NodeId,
    host: Host,
    token: string,
    signal: AbortSignal,
    asked: HostFacts | null = null,
  ): Promise<Door> {
    if (asked !== null) {
      return this.#open(nodeId, host, token, { facts: asked, isFromMemory: true }, signal);
    }
    const known = host.lastFacts ?? null;
    if (known === null) {
      return this.#open(
        nodeId,
        host,
        token,
        { facts: await host.facts(signal), isFromMemory: false },
        signal,
      );
    }
    try {
      return await this.#open(nodeId, host, token, { facts: known, isFromMemory: true }, signal);
    } catch (error) {
      if (host.way?.isOpen !== false) {
        host.forgetFacts?.();
      }
      throw error;
    }
  }

  /** What a machine says of itself by now. */
  learn(nodeId: NodeId, door: Door, facts: HostFacts): void {
    const open = this.#doors.get(nodeId);
    if (open?.door === door) {
      open.facts = facts;
    }
  }

  async #open(
    nodeId: NodeId,
    host: Host,
    token: string,
    { facts, isFromMemory }: Pick<Door, 'facts' | 'isFromMemory'>,
    signal: AbortSignal,
  ): Promise<Door> {
    const controller = new AbortController();
    const transport = await host.connect(signal);
    try {
      const link = { address: transport.address, token, closed: controller.signal };
      const agent = this.#openAgent(link);
      mustBe(
        (await agent.status(signal)).nodeId === nodeId,
        'the status of another node than the one that was asked',
      );
      if (signal.aborted) {
        throw signal.reason instanceof Error ? signal.reason : new Error('given up');
      }
      const door: Door = {
        host,
        get facts() {
          return open.facts;
        },
        isFromMemory,
        agent,
        link,
        closed: controller.signal,
      };
      const open: OpenDoor = { door, facts, controller, transport };
      this.drop(nodeId, 'another way in stands in its place');
      this.#doors.set(nodeId, open);
      this.#dropWhenClosed(nodeId, open);
      return door;
    } catch (error) {
      // Whatever is still under way to it ends here.
      controller.abort(error);
      void transport.close().catch(() => undefined);
      throw error;
    }
  }

  /** A tunnel that ends is known to be gone before anybody asks through it. */
  #dropWhenClosed(nodeId: NodeId, open: OpenDoor): void {
    const closed = open.transport.closed;
    const drop = (): void => {
      if (this.#doors.get(nodeId) === open) {
        this.drop(nodeId, errorText(closed?.reason));
      }
    };
    if (closed?.aborted === true) {
      drop();
    } else {
      closed?.addEventListener('abort', drop, { once: true });
    }
  }

  /** Closes a node's door; whoever holds it learns so by `closed`. */
  drop(nodeId: NodeId, reason: string): void {
    const open = this.#doors.get(nodeId);
    if (open !== undefined) {
      this.#doors.delete(nodeId);
      open.controller.abort(new Error(reason));
      // Closing what is already broken may fail; nothing hangs on it.
      void open.transport.close().catch(() => undefined);
    }
  }

  closeAll(): void {
    for (const nodeId of [...this.#doors.keys()]) {
      this.drop(nodeId, 'the daemon ends');
    }
  }
}
