/** The JSON Schema (draft 2020-12) of template files, for editors and for the names of the keys there are. */
import * as z from 'zod';
import { nearestKey } from './values.ts';
import { templateSchema } from './schema.ts';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

let made: JsonSchema | undefined;
export const templateJsonSchema = (): JsonSchema =>
  (made ??= z.toJSONSchema(templateSchema, { io: 'input', target: 'draft-2020-12' }));

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/** The alternatives that a schema may be; of parameters those of the type that stands there. */
function alternatives(schema: JsonSchema, value: unknown): readonly JsonSchema[] {
  const options = (schema.anyOf ?? schema.oneOf ?? []).filter(isSchema).filter(option => option.properties);
  const type: unknown = isGroup(value) ? value['type'] : undefined;
  const fitting = options.filter(({ properties }) => {
    const wanted = properties?.['type'];
    return !isSchema(wanted) || wanted.const === type;
  });
  return options.length === 0 ? [schema] : fitting;
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns the keys that a template may have at a path; none where it takes any. */
export function keysAt(path: readonly PropertyKey[], data: unknown): readonly string[] {
  let layer = alternatives(templateJsonSchema(), data);
  let value = data;
  for (const step of path) {
    value =
      isGroup(value) || Array.isArray(value) ? (value as Record<PropertyKey, unknown>)[step] : undefined;
    layer = layer
      .map(({ properties, additionalProperties, items }) =>
        typeof step === 'number' ? items : (properties?.[String(step)] ?? additionalProperties),
      )
      .filter(isSchema)
      .flatMap(schema => alternatives(schema, value));
  }
  return [...new Set(layer.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** @returns the key that was meant by one that there is not, where one is written much like it. */
export const meantKey = (key: string, path: readonly PropertyKey[], data: unknown): string | undefined =>
  nearestKey(key, keysAt(path, data));
