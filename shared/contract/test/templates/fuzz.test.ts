/** Whatever bytes stand in a template file, its reader answers with sentences. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { checkTemplate } from '../../src/templates/check.ts';

const folder = join(import.meta.dirname, '../../../../test/templates/wrong');
const files = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .map(name => readFileSync(join(folder, name), 'utf8'));

/** A sentence ends as one, names a place inside the file, and repeats nothing endlessly. */
function judge(source: string | Uint8Array): void {
  const { template, problems } = checkTemplate(source, { names: new Set(['sft.py']), hitch: '0.1.0' });
  assert.equal(template === null, problems.length > 0);
  const text = typeof source === 'string' ? source : Buffer.from(source).toString();
  const lines = text.split('\n').length;
  for (const { line, column, sentence } of problems) {
    assert.ok(line !== null && line >= 1 && line <= lines + 1, `line ${String(line)} of ${lines}`);
    assert.ok(column !== null && column >= 1);
    assert.match(sentence, /[.?]$|may have: /s);
    assert.ok(sentence.length < 1500, sentence);
    assert.doesNotMatch(sentence, /undefined|\[object/);
  }
}

/** Text that is nearly YAML. */
const yamlish = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'parameters',
        'run',
        'command',
        ': ',
        ':\n',
        '- ',
        '\n',
        '  ',
        '\t',
        '{',
        '}',
        '[',
        ']',
        ', ',
        '"',
        "'",
      ],
      ...[
        '&a',
        '*a',
        '!!int ',
        '<<: ',
        '? ',
        '| \n',
        '>\n',
        '---\n',
        '%YAML 1.1\n',
        '#',
        '\r\n',
        '0x1F',
        '1e999',
        '.nan',
        'null',
        '~',
      ],
      ...[
        '${{ params.a }}',
        '${{',
        '\u0000',
        '\uFEFF',
        '\u202E',
        '𝕏',
        'type',
        'integer',
        'hitch-template/1',
        'schema: ',
      ],
    ),
    { maxLength: 60 },
  )
  .map(parts => parts.join(''));

/** A real file in which something is put, cut or doubled. */
const spoilt = fc
  .tuple(fc.constantFrom(...files), fc.nat(3000), fc.nat(60), yamlish)
  .map(([file, at, length, put]) => file.slice(0, at) + put + file.slice(at + length));

/** A template in which one value is of any kind. */
const revalued = fc
  .tuple(
    fc.constantFrom(
      ...[
        'parameters',
        'presets',
        'environment',
        'cluster',
        'resources',
        'limits',
        'secrets',
        'run',
        'checkpoints',
      ],
      ...[
        'retry',
        'outputs',
        'metrics',
        'notebook',
        'serve',
        'kubernetes',
        'test',
        'tags',
        'readme',
        'hitch',
        'version',
      ],
    ),
    fc.jsonValue({ maxDepth: 4 }),
  )
  .map(([key, value]) =>
    JSON.stringify({
      schema: 'hitch-template/1',
      name: 'any',
      version: '1.0.0',
      title: 'Any',
      description: 'Any.',
      run: { command: ['true'] },
      [key]: value,
    }),
  );

describe('the reader of template files', function () {
  this.timeout(300_000);

  it('answers any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), judge), { numRuns: 500 });
  });
  it('answers any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), judge), { numRuns: 500 });
  });
  it('answers what is nearly YAML', () => {
    fc.assert(fc.property(yamlish, judge), { numRuns: 1500 });
  });
  it('answers real files that are spoilt', () => {
    const unclosed = `license: }'Apache-2.0\n${'title: Any\n'.repeat(200)}`;
    fc.assert(fc.property(spoilt, judge), { numRuns: 400, examples: [[unclosed]] });
  });
  it('answers values of any kind in any place', () => {
    fc.assert(fc.property(revalued, judge), { numRuns: 500 });
  });
});
