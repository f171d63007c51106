/** Figures are found in what trainings print, and in nothing else. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { metricsOfLine } from '../../src/metrics/lines.ts';

const read = (line: string): unknown => {
  const row = metricsOfLine(line);
  return row === null ? null : { step: row.step, ...Object.fromEntries(row.values) };
};

describe('a line of figures', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['{"step": 40, "loss": 0.2444}', { step: 40, loss: 0.2444 }],
    [
      `{'loss': '0.9607', 'grad_norm': '1.2', 'epoch': '0.4'}`,
      { step: null, loss: 0.9607, grad_norm: 1.2, epoch: 0.4 },
    ],
    [`{'eval_loss': 2.5e-3, 'epoch': 1.0}`, { step: null, eval_loss: 0.0025, epoch: 1 }],
    [
      '\u001B[36m(RayTrainWorker pid=4711, ip=10.0.0.2)\u001B[0m {"step": 2, "loss": 1}',
      { step: 2, loss: 1 },
    ],
    ['[rank 3] {"step": 2, "loss": 1}', { step: 2, loss: 1 }],
    ['[node 2] {"step": 2, "loss": 1}', { step: 2, loss: 1 }],
    ['{"loss": NaN}', null],
    [`{'loss': nan, 'epoch': 1}`, { step: null, epoch: 1 }],
    ['{"message": "started"}', null],
    ['{"a": {"b": 1}}', null],
    [`{'a': [1, 2]}`, null],
    ['loss 0.2', null],
    ['[1, 2]', null],
    ['{}', null],
    [`{"loss": 1${' '.repeat(30_000)}}`, null],
  ];
  for (const [line, expected] of cases) {
    it(`is read: ${line.slice(0, 60)}`, () => assert.deepEqual(read(line), expected));
  }

  it('is looked for in any text without trouble', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      "'",
      '"',
      ':',
      ',',
      ' ',
      'loss',
      '1',
      '(a pid=1)',
      '\\',
      '[',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
        const row = metricsOfLine(`{${pieces.join('')}}`);
        assert.ok(row === null || [...row.values.values()].every(Number.isFinite));
      }),
      { numRuns: 2000 },
    );
  });
});
