/** An answer as an honest machine may give it, made from its schema: a route that is added needs nothing here. */
import * as z from 'zod';

/** Fields with one right value on the machine that is asked. */
export type Known = Readonly<Record<string, unknown>>;

const TEXTS = [
  'text',
  'main',
  'asked.txt',
  '',
  'a'.repeat(64),
  '127.0.0.1:1',
  '1000000',
  'DE',
  'NAME',
  '/nowhere',
  '1:1:0:0',
  'job_01ARZ3NDEKTSV4RRFFQ69G5FAV',
  '3.12',
  '0123456789abcdef',
  's3://bucket/prefix',
  'https://s3.example.org',
];

export function sampleOf(schema: unknown, known: Known, key = ''): unknown {
  if (Object.hasOwn(known, key)) {
    return known[key];
  }
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string, unknown>> = schema.shape;
    return Object.fromEntries(
      Object.entries(shape).map(([name, field]) => [name, sampleOf(field, known, name)]),
    );
  }
  if (schema instanceof z.ZodArray) {
    return [sampleOf(schema.element, known)];
  }
  if (schema instanceof z.ZodRecord) {
    return { text: sampleOf(schema.valueType, known) };
  }
  if (
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return sampleOf(schema.unwrap(), known, key);
  }
  if (schema instanceof z.ZodPipe) {
    return sampleOf(schema.in, known, key);
  }
  if (schema instanceof z.ZodUnion) {
    return sampleOf(schema.options.at(-1), known, key);
  }
  if (schema instanceof z.ZodEnum) {
    return schema.options[0];
  }
  if (schema instanceof z.ZodLiteral) {
    return [...schema.values][0];
  }
  if (schema instanceof z.ZodNumber) {
    return 1;
  }
  if (schema instanceof z.ZodBoolean) {
    return true;
  }
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) {
    const found = TEXTS.find(text => schema.safeParse(text).success);
    if (found !== undefined) {
      return found;
    }
  }
  throw new Error(`No value is known for “${key}”: name one, or a text that fits, in ${import.meta.url}.`);
}
