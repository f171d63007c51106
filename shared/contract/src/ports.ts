/** Ports of a cluster's machines that something listens on, and how they are opened in a browser. */
import * as z from 'zod';
import { clusterIdSchema } from './ids.ts';
import { saidName, saidSentence } from './said.ts';

export const portSchema = z.coerce.number().int().min(1).max(65_535);

/** The most that one node lists; an agent says so in the place of the rest. */
export const MOST_PORTS = 500;

export const knownPortSchema = z.enum([
  'ray',
  'tensorboard',
  'gradio',
  'streamlit',
  'mlflow',
  'spark',
  'dask',
]);
export type KnownPort = z.infer<typeof knownPortSchema>;

/** One that a program of the cluster listens on, on one node. */
export const nodePortSchema = z.object({
  port: z.number().int().min(1).max(65_535),
  /** The program's name, and its script where it has one; never an argument. */
  process: saidName,
  /** A dashboard that is known by name; null: any other. */
  known: knownPortSchema.nullable(),
});
export type NodePort = z.infer<typeof nodePortSchema>;

/** The agent's answer: by port, each once. */
export const nodePortsSchema = z.object({
  ports: z.array(nodePortSchema).max(MOST_PORTS),
  /** So many more listen than are listed. */
  more: z.number().int().min(0),
});
export type NodePorts = z.infer<typeof nodePortsSchema>;

export const clusterPortSchema = nodePortSchema.extend({
  /** 0 is the head. */
  nodeIndex: z.number().int().min(0),
});
export type ClusterPort = z.infer<typeof clusterPortSchema>;

export const clusterPortsSchema = z.object({
  /** By node and port. */
  ports: z.array(clusterPortSchema),
  /** What is missing, a sentence for each node that did not say all. */
  missing: z.array(saidSentence),
});
export type ClusterPorts = z.infer<typeof clusterPortsSchema>;

export const portRequestSchema = z.object({
  clusterId: clusterIdSchema,
  nodeIndex: z.coerce.number().int().min(0).default(0),
  port: portSchema,
  /** Where in it to begin: a path with its query and fragment. */
  path: z
    .string()
    .max(2_000)
    .regex(/^\/(?![/\\])/, 'must begin with one slash')
    .default('/'),
});

export const portLinkSchema = z.object({
  /** Opens it once, in one browser, within a minute: it holds a code that counts once. */
  url: z.string(),
  /** Where it is from then on, for that browser alone. */
  address: z.string(),
  expiresAtMs: z.number(),
});
export type PortLink = z.infer<typeof portLinkSchema>;
