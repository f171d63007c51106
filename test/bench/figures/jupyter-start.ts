/** What Hitch adds to the time until JupyterLab is up, while its daemon is away, answers, or hangs. */
import { DaemonHome } from '../../support/daemon-home.ts';
import { findChromium } from '../../support/chromium.ts';
import { JupyterLab } from '../../support/jupyterlab.ts';
import { type Benchmark, type Figure, figure, median, pairs, timed } from '../figure.ts';

const PAIRS = 11;
const STATES = ['down', 'up', 'hung'] as const;
type State = (typeof STATES)[number];

const nameOf = (state: State): string => `jupyter_start_added_ms_${state}`;

async function measure(executable: string, state: State): Promise<Figure> {
  const home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
  // A program that is not there: else the bridge would bring the daemon up.
  const environment: Record<string, string> = state === 'down' ? { HITCH_PROGRAM: '/nowhere/hitch.mjs' } : {};
  const [ours, bare] = [new JupyterLab({ home, environment }), new JupyterLab({ home, bare: true })];
  try {
    if (state !== 'down') await home.start();
    await ours.start();
    await bare.start();
    // The browser's cache is warm in both, as on any day but the first.
    const pages = [await ours.open(executable), await bare.open(executable)] as const;
    for (const page of pages) await page.reload();
    if (state === 'hung') home.signal('SIGSTOP');
    const took = await pairs(
      PAIRS,
      () => timed(() => pages[0].reload()),
      () => timed(() => pages[1].reload()),
    );
    return figure({
      name: nameOf(state),
      // Of each pair, not of each side: two reloads in a row meet the same machine.
      value: median(took.ours.map((ms, index) => ms - (took.theirs[index] ?? 0))),
      unit: 'ms',
      baseline: median(took.theirs),
      target: { atMost: 150 },
      note: `from a reload to JupyterLab restored; median of ${PAIRS.toString()} pairs with JupyterLab without Hitch`,
    });
  } finally {
    await ours.dispose();
    await bare.dispose();
    await home.dispose();
  }
}

export const jupyterStarts: readonly Benchmark[] = STATES.map(state => ({
  names: [nameOf(state)],
  async run(report) {
    const executable = findChromium();
    if (executable === undefined) {
      report('left out: there is no Chromium (name one in HITCH_CHROMIUM)');
      return [];
    }
    report(`${PAIRS.toString()} pairs of pages`);
    return [await measure(executable, state)];
  },
}));
