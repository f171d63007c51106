/**
 * A stream can be cut without a word, by a sleep or a proxy. Lists tell: they know of events that never came. Twice
 * in a row, since an event may just be on its way.
 */
import type { Cluster, ClusterEvent } from '@hitch/contract';

export class StreamCheck {
  #heard: Map<string, number> | null = null;
  #behind = '';

  /** A stream begins: what lists know by now was before it. */
  reset(): void {
    this.#heard = null;
    this.#behind = '';
  }

  heard({ clusterId, seq }: ClusterEvent): void {
    this.#heard?.set(clusterId, Math.max(seq, this.#heard.get(clusterId) ?? 0));
  }

  isBehind(clusters: readonly Cluster[]): boolean {
    if (this.#heard === null) {
      this.#heard = new Map(clusters.map(({ id, lastEventSeq }) => [id, lastEventSeq]));
      return false;
    }
    const heard = this.#heard;
    const late = clusters.filter(({ id, lastEventSeq }) => lastEventSeq > (heard.get(id) ?? 0));
    const behind = late.map(({ id, lastEventSeq }) => `${id}:${lastEventSeq}`).join(' ');
    const twice = behind !== '' && behind === this.#behind;
    this.#behind = twice ? '' : behind;
    return twice;
  }
}
