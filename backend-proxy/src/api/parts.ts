/** What the API is a face of: each noun's part of the house, as narrow as the API needs it. */
import type {
  ClusterId,
  DaemonInfo,
  DoctorCheck,
  OfferPage,
  OfferQuery,
  ProviderId,
  ProviderInfo,
  TemplateInfo,
} from '@hitch/contract';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClusterService } from '../clusters/service.ts';
import type { SecretList } from '../secrets/secret-store.ts';

export interface OffersPart {
  query(query: OfferQuery): OfferPage;
  /** Asks the network (all without one) again; resolves when they answered or gave up. */
  refresh(provider?: ProviderId): Promise<void>;
}

export interface SecretsPart {
  list(): Promise<SecretList>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The relay: kernel sockets and Jupyter's REST answers of one cluster, and terminal sockets. */
export interface RelayPart {
  /** `path` is what follows `/clusters/<id>`, with its query: `/jupyter/api/kernels`. Writes the whole answer. */
  request(
    clusterId: ClusterId,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  /** The same for sockets: `/jupyter/api/kernels/<id>/channels?…`, `/terminals/<name>/socket`. */
  upgrade(
    clusterId: ClusterId,
    path: string,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void>;
  /** Closes every socket with 1012: the client comes back. */
  close(): Promise<void>;
}

export interface ApiParts {
  readonly clusters: ClusterService;
  readonly offers: OffersPart;
  readonly providers: () => readonly ProviderInfo[];
  readonly templates: readonly TemplateInfo[];
  readonly secrets: SecretsPart;
  readonly relay: RelayPart;
  readonly info: () => DaemonInfo;
  readonly doctor: (signal: AbortSignal) => Promise<readonly DoctorCheck[]>;
  /** Asked to end, once the answer is out. */
  readonly stop: () => void;
}
