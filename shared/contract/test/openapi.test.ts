import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { isContractProcedure } from '@orpc/contract';
import * as z from 'zod';
import { contract, ERROR_CODES } from '../src/index.ts';
import { openApiDocument } from '../src/openapi.ts';

const written = z.record(z.string(), z.unknown());
const routeSchema = z.object({ method: z.string(), path: z.string() });

/** Every procedure of the contract: its name and its route. */
function procedures(node: unknown, name: string[] = []): { name: string; method: string; path: string }[] {
  if (isContractProcedure(node)) {
    return [{ name: name.join('.'), ...routeSchema.parse(node['~orpc'].route) }];
  }
  return Object.entries(node as object).flatMap(([key, child]) => procedures(child, [...name, key]));
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const document = await openApiDocument('0.1.0');
    assert.match(document.openapi, /^3\.1\./);
    // As what its text says, without what JSON has no word for; read as text it would be taken for YAML, which takes seconds.
    const { valid, errors } = await new Validator().validate(
      written.parse(JSON.parse(JSON.stringify(document))),
    );
    assert.ok(valid, JSON.stringify(errors ?? []).slice(0, 2000));
  });

  it('has every route of the contract, each with its failure, and the raw ones', async () => {
    const { paths } = await openApiDocument('0.1.0');
    const all = procedures(contract);
    assert.ok(all.length > 40);
    for (const { name, method, path } of all) {
      const operation = paths[path]?.[method.toLowerCase()];
      assert.equal(operation?.operationId, name);
      assert.ok(operation.responses['default'], name);
    }
    for (const path of [
      '/challenge',
      '/api/jobs/{jobId}/log-bytes',
      '/clusters/{clusterId}/raw-files',
      '/ssh/{alias}',
    ]) {
      assert.ok(paths[path], path);
    }
    assert.equal(new Set(all.map(({ method, path }) => `${method} ${path}`)).size, all.length);
  });

  it('explains every error code', async () => {
    const text = JSON.stringify(await openApiDocument('0.1.0'));
    for (const code of ERROR_CODES) {
      assert.ok(text.includes(`\`${code}\``), code);
    }
  });
});
