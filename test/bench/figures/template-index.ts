/** How soon 5,000 templates are listed by a daemon that knows them, beside reading the names of their folders. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { createTemplates } from '../../../backend-proxy/src/templates/compose.ts';
import type { Templates } from '../../../backend-proxy/src/templates/templates.ts';
import { figure, median, timed, type Benchmark } from '../figure.ts';

const TEMPLATES = 5000;
const ROUNDS = 9;
const SAMPLE = join(import.meta.dirname, '../../../samples/templates/notebook/hitch.yaml');

export const templateIndex: Benchmark = {
  names: ['template_index_ms'],
  async run(report) {
    const home = mkdtempSync(join(tmpdir(), 'hitch-bench-templates-'));
    try {
      const text = readFileSync(SAMPLE, 'utf8');
      for (let index = 0; index < TEMPLATES; index++) {
        const folder = join(home, 'templates', `t${index}`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'hitch.yaml'), text.replace('name: notebook', `name: t${index}`));
      }
      const make = (): Templates =>
        createTemplates({
          home: homeAt(home),
          environment: process.env,
          hitch: '0.1.0',
          clock: systemClock,
          ids: createIds(systemClock, systemRandom),
          log: silentLog,
          policies: { read: () => Promise.resolve([]) },
          offers: () => [],
        }).templates;
      report(`${TEMPLATES} templates; reading each of them once`);
      const all = async (templates: Templates): Promise<void> => {
        const found = (await templates.list([], null)).filter(({ source }) => source === 'user').length;
        if (found !== TEMPLATES) {
          throw new Error(`${found} of ${TEMPLATES} templates were listed`);
        }
      };
      const first = await timed(() => all(make()));
      const later = make();
      const reopened = await timed(() => all(later));
      const times: number[] = [];
      const bare: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        times.push(await timed(() => all(later)));
        bare.push(await timed(async () => readdirSync(join(home, 'templates'))));
      }
      return [
        figure({
          name: 'template_index_ms',
          value: median(times),
          unit: 'ms',
          baseline: median(bare),
          target: { atMost: 100 },
          note: `a list of ${TEMPLATES}; reading all of them once took ${Math.round(first)} ms, the first list of the next daemon ${Math.round(reopened)} ms; baseline: the names of their folders`,
        }),
      ];
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
};
