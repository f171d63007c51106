/** What the API speaks for: each noun’s part of the daemon, as narrow as the API needs it. */
import type {
  DaemonInfo,
  DoctorCheck,
  OfferPage,
  OfferQuery,
  ProviderId,
  ProviderInfo,
} from '@hitch/contract';
import type { Approvals } from '../approvals/approvals.ts';
import type { Ports } from '../access/ports/ports.ts';
import type { Relay } from '../access/relay.ts';
import type { SshPart } from '../access/ssh/user-config.ts';
import type { Copies } from '../copies/copies.ts';
import type { EnvironmentLocks } from '../clusters/environment-locks.ts';
import type { ClusterService } from '../clusters/service.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { TemplateDrafts } from '../jobs/template-drafts.ts';
import type { JobQuotes } from '../jobs/rented/job-quotes.ts';
import type { Networks } from '../networks/networks.ts';
import type { Presets } from '../offers/presets.ts';
import type { ClusterUrls } from '../access/cluster-urls.ts';
import type { SecretList } from '../secrets/secret-store.ts';
import type { Templates } from '../templates/templates.ts';

export interface OffersPart {
  /** Somebody looks at the offers: resolves in a moment, with newer ones where those were old. */
  look(): Promise<void>;
  /** Somebody asks for a price: resolves in a few seconds, with newer offers where those were old. */
  fresh(): Promise<void>;
  query(query: OfferQuery): OfferPage;
  /** Asks the network (all without one) again; resolves when they answered or gave up. */
  refresh(provider?: ProviderId): Promise<void>;
}

export interface SecretsPart {
  list(): Promise<SecretList>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface ApiParts {
  readonly clusters: ClusterService;
  readonly approvals: Approvals;
  readonly copies: Pick<Copies, 'start' | 'list' | 'get' | 'answer' | 'cancel' | 'names'>;
  readonly jobs: Pick<
    Jobs,
    | 'begin'
    | 'list'
    | 'get'
    | 'stop'
    | 'again'
    | 'ofRay'
    | 'log'
    | 'openLog'
    | 'search'
    | 'metrics'
    | 'metricPoints'
  >;
  readonly jobQuotes: Pick<JobQuotes, 'quote' | 'approve' | 'discard'>;
  readonly offers: OffersPart;
  readonly presets: Pick<Presets, 'list' | 'keep'>;
  readonly providers: () => readonly ProviderInfo[];
  readonly environments: Pick<EnvironmentLocks, 'find' | 'lock' | 'get' | 'clean'>;
  readonly networks: Pick<
    Networks,
    'list' | 'login' | 'logout' | 'test' | 'bills' | 'machines' | 'recordings'
  >;
  readonly templates: Pick<Templates, 'list' | 'check' | 'show' | 'forQuote' | 'look' | 'take' | 'remove'>;
  readonly drafts: Pick<TemplateDrafts, 'write'>;
  readonly secrets: SecretsPart;
  readonly ssh: SshPart;
  readonly relay: Pick<Relay, 'handleRequest' | 'handleUpgrade' | 'close'>;
  readonly urls: Pick<ClusterUrls, 'give' | 'revoke' | 'opened' | 'keep'>;
  /** Of this daemon, such as `http://127.0.0.1:8745`. */
  readonly origin: () => string;
  readonly ports: Ports;
  readonly info: () => DaemonInfo;
  readonly doctor: (signal: AbortSignal) => Promise<readonly DoctorCheck[]>;
  /** Asked to end, once the answer is out. */
  readonly stop: () => void;
}
