/** The OpenAPI 3.1 document of the daemon, made from the contract. Not part of the client: its generator is large. */
import { OpenAPIGenerator } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import * as z from 'zod';
import { contract } from './contract.ts';
import { challengeAnswerSchema, challengeSchema } from './daemon.ts';
import { ERROR_CODES, ERRORS, errorEnvelopeSchema } from './errors.ts';
import { sshWaySchema } from './ssh.ts';

const operationSchema = z.looseObject({
  operationId: z.string(),
  responses: z.record(z.string(), z.unknown()),
});
type Operation = z.infer<typeof operationSchema>;

/** As much of a document as is read here; the rest passes through. */
const documentSchema = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()).optional() }).optional(),
});
export type OpenApiDocument = z.infer<typeof documentSchema>;

const errorTable = ERROR_CODES.map(
  code =>
    `- \`${code}\` (${ERRORS[code].status}${ERRORS[code].retryable ? ', may be retried' : ''}): ${ERRORS[code].meaning}`,
).join('\n');

const DESCRIPTION = [
  'The API of the daemon on this computer. Every request and socket carries `Authorization: Bearer <token>`; port and',
  'token stand in `daemon.json` in Hitch’s folder. `Host` must be the daemon’s own; a foreign `Origin` is refused.',
  'Amounts are strings of whole micro-dollars. Sockets: `/clusters/{clusterId}/jupyter/api/kernels/{id}/channels` and',
  '`/clusters/{clusterId}/terminals/{name}/socket`; `/ssh/{alias}` with `Upgrade: ssh` carries bare bytes. Jupyter’s REST',
  'API of a cluster stands under `/clusters/{clusterId}/jupyter/api`.',
  '',
  'Every failure answers with one envelope. Its codes:',
  '',
  errorTable,
].join('\n');

const parameter = (
  name: string,
  place: 'path' | 'query' | 'header',
  description: string,
  required: boolean,
) => ({
  name,
  in: place,
  description,
  required,
  schema: { type: 'string' as const },
});

const clusterId = parameter('clusterId', 'path', 'The cluster.', true);
const filePath = parameter('path', 'query', 'Path inside the work folder.', true);
const bytes = { 'application/octet-stream': { schema: {} } };

/** Routes beside oRPC's: bytes, Jupyter's own API, and the challenge. Sockets are named in the description. */
const RAW_PATHS: Record<string, Record<string, Operation>> = {
  '/api/jobs/{jobId}/log-bytes': {
    get: {
      operationId: 'jobs.logBytes',
      summary: 'What a job printed, as bytes; x-hitch-log says from which place of which run they are',
      parameters: [
        parameter('jobId', 'path', 'The job.', true),
        parameter('run', 'query', 'Left out: the latest.', false),
        parameter('from', 'query', 'Number of the first byte that is wanted.', false),
        parameter('most', 'query', 'Bytes in this answer; 4 MiB at most.', false),
        parameter('waitMs', 'query', 'Where there is nothing yet, it is waited for so long.', false),
      ],
      responses: { 200: { description: 'The bytes; none: there are none yet', content: bytes } },
    },
  },
  '/clusters/{clusterId}/raw-files': {
    get: {
      operationId: 'rawFiles.read',
      summary: 'The bytes of a file',
      parameters: [clusterId, filePath, parameter('range', 'header', 'Such as bytes=100-.', false)],
      responses: {
        200: { description: 'All of it', content: bytes },
        206: { description: 'The range asked for', content: bytes },
      },
    },
    put: {
      operationId: 'rawFiles.write',
      summary: 'A piece of a file; the last one makes it appear',
      parameters: [
        clusterId,
        filePath,
        parameter(
          'offset',
          'query',
          'Where the piece starts; what arrived so far is files.uploadState.',
          false,
        ),
        parameter('total', 'query', 'Size of the whole file.', false),
        parameter('sha256', 'query', 'Of the whole file, in hex: refused when it does not match.', false),
      ],
      requestBody: { required: true, content: bytes },
      responses: { 200: { description: 'What has arrived' } },
    },
  },
};

const converter = new ZodToJsonSchemaConverter();
const jsonContent = (schema: unknown) => ({ 'application/json': { schema } });
const schemaOf = (schema: z.ZodType, strategy: 'input' | 'output') =>
  converter.convert(schema, { strategy })[1];

const challenge: Operation = {
  operationId: 'challenge',
  summary: 'Proof that this listener wrote daemon.json; needs no bearer',
  security: [],
  requestBody: { required: true, content: jsonContent(schemaOf(challengeSchema, 'input')) },
  responses: {
    200: { description: 'The proof', content: jsonContent(schemaOf(challengeAnswerSchema, 'output')) },
  },
};

const alias = parameter('alias', 'path', 'What ssh calls the node, such as hitch-llm-dev.', true);
const ssh: Record<string, Operation> = {
  get: {
    operationId: 'ssh.way',
    summary: 'A way to the node’s sshd past the daemon; with “Upgrade: ssh”, the way through it',
    parameters: [alias],
    responses: {
      200: { description: 'Where to, once', content: jsonContent(schemaOf(sshWaySchema, 'output')) },
    },
  },
  post: {
    operationId: 'ssh.used',
    summary: 'Somebody is at work over that way: the node is not idle',
    parameters: [alias],
    responses: { 200: { description: 'Noted' } },
  },
};

/** @param version of the program that serves it. */
export async function openApiDocument(version: string): Promise<OpenApiDocument> {
  const generator = new OpenAPIGenerator({ schemaConverters: [converter] });
  const generated = await generator.generate(contract, {
    info: { title: 'Hitch daemon', version, description: DESCRIPTION },
    servers: [{ url: '/api' }],
    security: [{ bearer: [] }],
  });
  const document = documentSchema.parse(generated);
  const failure = {
    description: 'What went wrong; the status is the code’s',
    content: jsonContent({ $ref: '#/components/schemas/Error' }),
  };
  const withFailure = (operations: Record<string, Operation>) =>
    Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => [
        method,
        { ...operation, responses: { ...operation.responses, default: failure } },
      ]),
    );
  const raw = { ...RAW_PATHS, '/challenge': { post: challenge }, '/ssh/{alias}': ssh };
  const paths: [string, object][] = [
    ...Object.entries(document.paths).map(([path, item]): [string, object] => [path, withFailure(item)]),
    ...Object.entries(raw).map(([path, item]): [string, object] => [
      path,
      { ...withFailure(item), servers: [{ url: '/' }] },
    ]),
  ];
  return {
    ...document,
    paths: Object.fromEntries(paths) as OpenApiDocument['paths'],
    components: {
      ...document.components,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { ...document.components?.schemas, Error: schemaOf(errorEnvelopeSchema, 'output') },
    },
  };
}
