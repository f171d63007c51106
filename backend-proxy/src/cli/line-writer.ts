/** A cluster's row in the words all clients use, with networks called by their names. */
import { clusterLine, type Cluster, type LineContext } from '@hitch/contract';
import type { Api } from '@hitch/client-node/src/session.ts';

export type LineWriter = (cluster: Cluster, nowMs: number) => string;

export async function lineWriter(api: Api, more: Omit<LineContext, 'titleOf'> = {}): Promise<LineWriter> {
  const titles = new Map((await api.providers.list()).map(({ id, title }) => [id, title]));
  const titleOf = (provider: string): string => titles.get(provider) ?? provider;
  return (cluster, nowMs) => clusterLine(cluster, nowMs, { ...more, titleOf });
}
