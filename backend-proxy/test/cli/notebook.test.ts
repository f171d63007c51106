import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HitchError } from '@hitch/contract';
import { outputPathFor } from '../../src/cli/commands/run-source.ts';
import { formatNotebook, parseNotebook } from '../../src/cli/notebook/format.ts';

const SAMPLES = fileURLToPath(new URL('../../../samples', import.meta.url));

const cell = (source: string, more: object = {}): object => ({
  cell_type: 'code',
  id: 'a',
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
  ...more,
});
const notebook = (cells: unknown, more: object = {}): string =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells, ...more });

describe('notebook files', () => {
  it('keeps what it does not know, and text as lists of lines', () => {
    const text = notebook([cell('a = 1\nb = 2', { metadata: { mine: [1] } })], {
      metadata: { theirs: { x: 1 } },
    });
    const written: unknown = JSON.parse(formatNotebook(parseNotebook('n.ipynb', text)));
    assert.deepEqual(written, {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { theirs: { x: 1 } },
      cells: [
        {
          cell_type: 'code',
          id: 'a',
          metadata: { mine: [1] },
          source: ['a = 1\n', 'b = 2'],
          outputs: [],
          execution_count: null,
        },
      ],
    });
  });

  it('reads a file with a byte order mark, and one of an older minor version without cell ids', () => {
    const old = parseNotebook(
      'n.ipynb',
      `\uFEFF${JSON.stringify({ nbformat: 4, nbformat_minor: 2, metadata: {}, cells: [{ cell_type: 'markdown', metadata: {}, source: ['# A\n', 'b'] }] })}`,
    );
    assert.equal(old.cells[0]?.source, '# A\nb');
    assert.doesNotMatch(formatNotebook(old), /"id"|"outputs"/);
  });

  it('keeps tags and kernels that are none, and drops what an editor keeps for itself', () => {
    const metadata = { kernelspec: 7, signature: 'x', orig_nbformat: 3, 10: 1, 9: 2 };
    const odd = cell('1', { metadata: { tags: 'no list', trusted: true } });
    const written = formatNotebook(parseNotebook('n.ipynb', notebook([odd], { metadata })));
    assert.match(written, /"metadata": \{\n {4}"tags": "no list"\n {3}\}/);
    assert.match(written, /"metadata": \{\n  "10": 1,\n  "9": 2,\n  "kernelspec": 7\n \}/);
    assert.match(written, /^\{\n "cells": \[[^]*"nbformat": 4,\n "nbformat_minor": 5\n\}\n$/);
  });

  for (const [what, text, sentence] of [
    ['an empty file', '', /n\.ipynb is not a notebook that can run: the file is empty\./],
    ['a script', 'print(1)', /it is not JSON \(.+\)\./],
    ['half a notebook', notebook([cell('1')]).slice(0, 60), /it is not JSON/],
    ['a list', '[]', /it does not say its nbformat\./],
    ['nbformat 3', '{"nbformat":3,"worksheets":[]}', /it is nbformat 3, and Hitch runs nbformat 4\./],
    ['no cells', '{"nbformat":4,"nbformat_minor":5,"metadata":{}}', /: cells: /],
    [
      'a cell without a source',
      notebook([cell('1'), { cell_type: 'code', metadata: {} }]),
      /: cell 2 \(source\): /,
    ],
    [
      'a cell of an unknown kind',
      notebook([cell('1', { cell_type: 'sql' })]),
      /: cell 1 \(cell_type\): is not code, markdown or raw\./,
    ],
    ['a source that is a number', notebook([cell('1', { source: 7 })]), /: cell 1 \(source\): /],
  ] as const) {
    it(`refuses ${what} with a sentence that names the place`, () => {
      assert.throws(
        () => parseNotebook('n.ipynb', text),
        (error: unknown) =>
          error instanceof HitchError &&
          error.code === 'BAD_INPUT' &&
          sentence.test(error.message) &&
          error.next !== undefined,
      );
    });
  }

  it('puts outputs beside the notebook, or into it', () => {
    assert.equal(outputPathFor('/a/train.ipynb', false), '/a/train.out.ipynb');
    assert.equal(outputPathFor('/a/train', false), '/a/train.out.ipynb');
    assert.equal(outputPathFor('/a/train.ipynb', true), '/a/train.ipynb');
  });

  describe('in samples', () => {
    for (const name of readdirSync(SAMPLES).filter(file => file.endsWith('.ipynb'))) {
      it(`${name} is a notebook without outputs, with an id for each cell`, () => {
        const { cells } = parseNotebook(name, readFileSync(`${SAMPLES}/${name}`, 'utf8'));
        assert.ok(cells.length > 2);
        assert.equal(new Set(cells.map(({ id }) => id)).size, cells.length);
        for (const { cell_type: type, outputs, execution_count: count } of cells) {
          if (type === 'code') assert.deepEqual([outputs, count], [[], null]);
        }
      });
    }
  });
});
