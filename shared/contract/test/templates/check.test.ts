/** Every mistake of a template file is said, each once, with its place and what to do. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkTemplate } from '../../src/templates/check.ts';
import { templateProblemLine } from '../../src/templates/problem.ts';
import { storageProblem, trainsWithRay } from '../../src/templates/ray-storage.ts';

const folder = join(import.meta.dirname, '../../../../test/templates/wrong');
const names = new Set(readdirSync(folder).filter(name => !/\.(yaml|txt)$/.test(name)));
const wrong = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .map(name => name.slice(0, -'.yaml'.length));

const said = (text: string | Uint8Array, files: ReadonlySet<string> | null = names): string =>
  checkTemplate(text, { names: files, hitch: '0.1.0' })
    .problems.map(problem => `${templateProblemLine(problem)}\n`)
    .join('');

const SMALL = [
  'schema: hitch-template/1',
  'name: small',
  'version: 1.0.0',
  'title: Small',
  'description: As little as a template can say.',
  'run: {command: [python, train.py]}',
];
const small = (...more: readonly string[]): string => [...SMALL, ...more, ''].join('\n');
const without = (key: string, ...more: readonly string[]): string =>
  [...SMALL.filter(line => !line.startsWith(key)), ...more, ''].join('\n');

describe('a template file that is wrong', () => {
  it('is there in more than fifty ways', () => {
    assert.ok(wrong.length >= 50, `${wrong.length} files`);
  });

  for (const name of wrong) {
    it(`is told what is wrong: ${name.replaceAll('-', ' ')}`, () => {
      const expected = readFileSync(join(folder, `${name}.txt`), 'utf8');
      assert.notEqual(expected, '');
      assert.equal(said(readFileSync(join(folder, `${name}.yaml`))), expected);
    });
  }
});

describe('a template file that is right', () => {
  it('may be small, and gets what it leaves out', () => {
    const { template, problems } = checkTemplate(small(), { names: null, hitch: null });
    assert.deepEqual(problems, []);
    assert.deepEqual(template?.cluster, { engine: 'any', nodes: 1, placement: 'same-network' });
    assert.deepEqual(template.resources, [{ machine: 'any', spot: 'never' }]);
    assert.deepEqual(template.parameters, {});
  });

  it('may come from Windows, with a byte order mark and its line ends', () => {
    const text = `\uFEFF${small().replaceAll('\n', '\r\n')}`;
    assert.equal(said(text, null), '');
    assert.equal(said(new TextEncoder().encode(text), null), '');
  });

  it('reads numbers and words as YAML 1.2 does', () => {
    const { template } = checkTemplate(
      small(
        'parameters:',
        '  rate: {type: number, default: 2e-4}',
        '  answer: {type: choice, of: [no, yes]}',
      ),
      { names: null, hitch: null },
    );
    assert.deepEqual(template?.parameters['rate'], { type: 'number', default: 0.0002 });
    assert.deepEqual(template.parameters['answer'], { type: 'choice', of: ['no', 'yes'] });
  });
});

describe('a file that is no template', () => {
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['is empty', '', /^hitch\.yaml:1:1 {2}The file is empty\. Write one with hitch template init\.\n$/],
    ['has comments alone', '# later\n', /The file is empty/],
    ['is a list', '- one\n', /The file is a list; a template is a group of keys/],
    ['is a text', 'train\n', /The file is a text/],
    [
      'is above 256 kB',
      `# ${'x'.repeat(256 * 1024)}`,
      /The file has 257 kB; a template file has at most 256 kB/,
    ],
    ['has a NUL', small('license: "a\0b"'), /^hitch\.yaml:7:12 {2}A control character \(U\+0000\)/],
    ['is in UTF-16', Buffer.from(`\uFEFF${small()}`, 'utf16le'), /This is no text in UTF-8/],
    [
      'is cut',
      small('tags: ["a, b]'),
      /^hitch\.yaml:\d+:\d+ {2}Something that opens here, or before, is not closed/,
    ],
    ['is nested for ever', `a: ${'['.repeat(100_000)}`, /This is nested deeper than anything in a template/],
    [
      'is nested by its indentation',
      Array.from({ length: 600 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''),
      /./,
    ],
    ['has an anchor', small('license: &a MIT'), /no anchors \(&name\)/],
    ['says another YAML', `%YAML 1.1\n---\n${small()}`, /^hitch\.yaml:1:1 {2}Leave out “%YAML 1\.1”/],
    ['has a key that is no word', small('1: one'), /A key is a word; this is 1\./],
    ['has a key of JavaScript’s', small('__proto__: {a: 1}'), /No key can be called “__proto__”/],
    ['bombs by aliases', 'a: &a [x]\nb: [*a, *a]\nc: [*a, *a]\n', /no aliases/],
  ];
  for (const [what, text, expected] of cases) {
    it(`is told so when it ${what}`, () => assert.match(said(text, null), expected));
  }
});

describe('one mistake', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'a misspelt key that is needed is not missing too',
      without('title', 'titel: Small'),
      'hitch.yaml:6:1  There is no key “titel” in a template. Did you mean “title”?\n',
    ],
    [
      'a group that is a list is not asked for what is in it',
      small('parameters: [a, b]', 'presets: {one: {title: One, parameters: {a: 1}}}'),
      'hitch.yaml:7:13  “parameters” is a list; it must be a group of keys.\n',
    ],
    [
      'a wrong range says nothing of the values in it',
      small('parameters: {a: {type: integer, min: 9, max: 1, default: 5}}'),
      'hitch.yaml:7:38  The least of “a” (9) is more than its most (1).\n',
    ],
    [
      'a preset that is wrong leaves the test of it alone',
      small('presets: {smoke: []}', 'test: {preset: smoke, within: 5m}'),
      'hitch.yaml:7:18  “presets.smoke” is a list; it must be a group of keys.\n',
    ],
  ];
  for (const [what, text, expected] of cases) {
    it(`makes one sentence: ${what}`, () => assert.equal(said(text, null), expected));
  }

  it('of each kind is said beside the others', () => {
    const text = small(
      'parameters:',
      '  a: {min: 1}',
      '  b: {type: text, pattern: "("}',
      '  c: {type: choice, of: [x, x]}',
      'cluster: {nodes: {min: 4, max: 2}}',
      'retry: {exitCodes: [0]}',
      'metrics: {loss: {line: "loss (.*)"}}',
      'checkpoints: {folder: "C:/out"}',
      'notebook: explore.py',
      'serve: {port: 70000, ready: /}',
    );
    assert.deepEqual(
      said(text, new Set(['train.py', 'explore.py']))
        .trimEnd()
        .split('\n')
        .map(line => line.replace(/^\S+ +/, '')),
      [
        'The parameter “a” has no type. It may be: number, integer, text, boolean, choice, model, dataset, upload.',
        'The pattern of “b” is no regular expression.',
        '“x” stands twice among the choices of “c”.',
        'The fewest nodes (4) are more than the most (2).',
        'Exit code 0 says that all went well; it cannot be a reason to try again.',
        'The pattern of the metric “loss” does not say where its figure stands: write (?<value>…).',
        '“checkpoints.folder” is the text “C:/out”; it must be a path inside the template’s folder.',
        '“explore.py” is no notebook; its name ends with .ipynb.',
        '“serve.port” is the number 70000; it must be at most 65535.',
      ],
    );
  });
});

describe('a template that trains with Ray Train', () => {
  const said = (...more: readonly string[]): string =>
    checkTemplate(small(...more), { names: null, usesRayTrain: true, hitch: null })
      .problems.map(({ sentence }) => sentence)
      .join('\n');
  const STORAGE = (place: string): string => `parameters: {storage: {type: text, default: '${place}'}}`;
  const WORDS =
    'Ray Train needs a folder that all nodes see. Set the parameter storage to a bucket, s3://…, or use one node.';

  it('is refused on several nodes while it writes to a folder of one of them', () => {
    for (const nodes of ['2', '{min: 2, max: 4}']) {
      const cluster = `cluster: {engine: ray, nodes: ${nodes}}`;
      assert.equal(said(cluster), WORDS);
      assert.equal(said(cluster, STORAGE('out/runs')), WORDS);
      assert.equal(said(cluster, STORAGE('/mnt/runs')), WORDS);
      assert.equal(said(cluster, STORAGE('file:///mnt/runs')), WORDS);
      assert.equal(said(cluster, STORAGE('s3://mine/runs')), '');
    }
  });

  it('may be on one, and begin as one', () => {
    assert.equal(said('cluster: {engine: ray, nodes: 1}', STORAGE('out')), '');
    assert.equal(said('cluster: {engine: ray, nodes: {min: 1, max: 4}}', STORAGE('out')), '');
    assert.equal(storageProblem({ nodes: 2, storage: 'out' }), WORDS);
  });

  it('is known by what its programs import', () => {
    for (const line of [
      'import ray.train',
      'import ray.train as train',
      'from ray.train.torch import TorchTrainer',
      '    from ray import serve, train',
    ]) {
      assert.ok(trainsWithRay(`import torch\n${line}\n`), line);
    }
    for (const line of [
      'import ray',
      'from ray import serve',
      '# import ray.train',
      'from ray.data import train',
    ]) {
      assert.ok(!trainsWithRay(`import torch\n${line}\n`), line);
    }
  });
});
