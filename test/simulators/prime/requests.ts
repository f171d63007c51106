/** What `POST /pods` and `POST /ssh_keys` take, as the network's own client sends it (`commands/pods.py`, `create`). */
import * as z from 'zod';

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional();

/** Fields that are not here are refused of Hitch, and let pass of others. */
export const createPodSchema = z.strictObject({
  pod: z.strictObject({
    // "Use only letters, numbers and dashes. Must contain at least 1 letter."
    name: maybe(z.string().regex(/^(?=.*[A-Za-z])[A-Za-z0-9-]+$/)),
    cloudId: z.string(),
    gpuType: z.string(),
    socket: maybe(z.string()),
    gpuCount: z.number().int().min(1),
    diskSize: maybe(z.number().int().min(1)),
    vcpus: maybe(z.number().int().min(1)),
    memory: maybe(z.number().int().min(1)),
    image: maybe(z.string()),
    dataCenterId: maybe(z.string()),
    maxPrice: maybe(z.number()),
    country: maybe(z.string()),
    security: maybe(z.string()),
    jupyterPassword: maybe(z.string()),
    autoRestart: maybe(z.boolean()),
    customTemplateId: maybe(z.string()),
    envVars: maybe(z.array(z.strictObject({ key: z.string(), value: z.string() }))),
  }),
  provider: z.strictObject({ type: z.string().optional() }),
  disks: maybe(z.array(z.string())),
  team: maybe(z.strictObject({ teamId: z.string() })),
});
export type Order = z.output<typeof createPodSchema>['pod'];

export const createKeySchema = z.strictObject({
  name: z.string().min(1),
  publicKey: z.string().regex(/^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) [A-Za-z0-9+/=]+/),
});
