/**
 * Fields of a request that its schema does not have. zod passes over them, and a misspelt limit would then be none: who
 * asked is told instead.
 */
import { cutText, HitchError } from '@hitch/contract';
import * as z from 'zod';

/** The path of the first field in `value` that `schema` knows nothing of; null: there is none. */
export function unknownField(schema: unknown, value: unknown): readonly string[] | null {
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  if (schema instanceof z.ZodObject) {
    return unknownInObject(schema, value);
  }
  if (schema instanceof z.ZodArray) {
    return Array.isArray(value) ? firstIn(Object.entries(value), () => schema.element) : null;
  }
  if (schema instanceof z.ZodUnion) {
    const found = schema.options.map(option => unknownField(option, value));
    return found.includes(null) ? null : (found[0] ?? null);
  }
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unknownField(schema.unwrap(), value);
  }
  return null;
}

function unknownInObject(schema: z.ZodObject, value: object): readonly string[] | null {
  // One that takes any field says so by its catch-all.
  if (schema.def.catchall !== undefined && !(schema.def.catchall instanceof z.ZodNever)) {
    return null;
  }
  const shape: Readonly<Record<string, unknown>> = schema.shape;
  const stranger = Object.keys(value).find(name => !Object.hasOwn(shape, name));
  return stranger === undefined ? firstIn(Object.entries(value), name => shape[name]) : [stranger];
}

function firstIn(
  entries: readonly (readonly [string, unknown])[],
  schemaOf: (name: string) => unknown,
): readonly string[] | null {
  for (const [name, value] of entries) {
    const found = unknownField(schemaOf(name), value);
    if (found !== null) {
      return [name, ...found];
    }
  }
  return null;
}

/** @throws HitchError BAD_INPUT that names the field. */
export function refuseUnknownFields(schema: unknown, input: unknown): void {
  // A call that takes nothing takes an empty object.
  const found = unknownField(schema ?? z.object({}), input);
  if (found !== null) {
    const field = cutText(found.join('.'), 200);
    throw new HitchError('BAD_INPUT', `“${field}” is no field of this request.`, {
      field,
      next: 'GET /api/openapi.json lists the fields of every route.',
    });
  }
}
