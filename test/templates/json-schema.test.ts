/** The JSON Schema that editors get refuses no template that the reader takes, and most of what it refuses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { templateJsonSchema } from '@hitch/contract/src/templates/json-schema.ts';

// ajv 6 knows drafts up to 7 by name; of 2020-12 nothing stands in this schema that 7 does not have.
const { $schema, ...schema } = templateJsonSchema();
const validate = new Ajv({ schemaId: 'auto' }).compile(schema);

const folder = join(import.meta.dirname, 'wrong');
const read = (name: string): unknown =>
  parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'), { logLevel: 'silent' });

describe('the JSON Schema of templates', () => {
  it('is one of draft 2020-12, small enough for an editor', () => {
    assert.equal($schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.ok(JSON.stringify(schema).length < 20_000);
  });

  it('takes a file in which only what one field says of another is wrong', () => {
    for (const name of ['total-nothing', 'test-preset-missing', 'program-missing', 'preset-out-of-range']) {
      assert.ok(validate(read(name)), `${name}: ${JSON.stringify(validate.errors)}`);
    }
  });

  it('refuses keys, kinds and forms that the reader refuses', () => {
    const names = [
      'key-misspelt',
      'key-misspelt-deep',
      'title-missing',
      'python-unquoted',
      'default-text-for-number',
    ];
    names.push(
      'path-outside',
      'amount-without-sign',
      'version-two-numbers',
      'engine-unknown',
      'schema-newer',
    );
    names.push('parameter-type-unknown', 'command-and-script', 'yes-is-text', 'output-outside');
    for (const name of names) {
      assert.ok(!validate(read(name)), name);
    }
  });
});
