/** Something done again and again while a widget can be seen and it is worth it. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { Widget } from '@lumino/widgets';

export interface PulseOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly widget: Widget;
  /** Whether it is worth it now; asked before each turn. */
  readonly when: () => boolean;
  readonly act: () => Promise<void> | void;
}

/** Rests while the page is hidden, the widget is hidden or `when` says no. Its owner disposes it. */
export function pulse({ name, everyMs, widget, when, act }: PulseOptions): IDisposable {
  return new Poll({
    name: `jupyterlab-hitch:${name}`,
    frequency: { interval: everyMs, max: everyMs * 8, backoff: true },
    // A poll that stands by still asks this at each interval, which costs nothing.
    standby: () => (widget.isVisible && when() ? 'when-hidden' : true),
    factory: async () => act(),
  });
}
