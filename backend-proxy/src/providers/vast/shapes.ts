/**
 * What is read of Vast.ai's answers; the rest may be anything. Source: the fields that the network's own client uses
 * (`vastai` 1.9.1 on PyPI, `data/offer.py`, `data/instance.py`, `api/billing.py`) and the API reference at docs.vast.ai.
 */
import * as z from 'zod';
import { dollarsSchema, signedDollarsSchema } from '../http/dollars.ts';

/** Ids are numbers, and text in some answers. */
const id = z.union([z.number().int(), z.string().min(1)]).transform(String);
const number = z.number().nullish();
const text = z.string().nullish();
const dollars = dollarsSchema.nullish();

export const offerRowSchema = z.looseObject({
  id,
  machine_id: id.nullish(),
  host_id: id.nullish(),
  num_gpus: z.number().int().min(0),
  gpu_name: text,
  /** Of one GPU, in MB. */
  gpu_ram: number,
  cpu_cores: number,
  cpu_cores_effective: number,
  /** Of the whole machine, in MB. */
  cpu_ram: number,
  disk_space: z.number(),
  /** $ an hour without the disk. */
  dph_base: dollarsSchema,
  /** $ an hour that a bid has to reach, without the disk. */
  min_bid: dollars,
  /** $ for a GB and month of 30 days; read as it is written, since an hour of it is less than a micro-dollar shows. */
  storage_cost: z.union([z.number().min(0), z.string()]),
  reliability: number,
  reliability2: number,
  verification: text,
  hosting_type: number,
  geolocation: text,
  cuda_max_good: z.union([z.number(), z.string()]).nullish(),
  inet_down: number,
  inet_up: number,
  /** $ for a GB. */
  inet_down_cost: dollars,
  inet_up_cost: dollars,
  driver_version: text,
  /** GB a second; 0: there is none. */
  bw_nvlink: number,
  /** Such as `amd64` or `arm64`. */
  cpu_arch: text,
  /** Seconds for which it can be rented. */
  duration: number,
  rentable: z.boolean().nullish(),
  rented: z.boolean().nullish(),
  external: z.union([z.boolean(), z.number()]).nullish(),
});
export type OfferRow = z.output<typeof offerRowSchema>;

export const offersSchema = z.looseObject({ offers: z.array(z.unknown()) });

/** What is not known by its kind is not said: a list must not fail for one odd word about a machine of somebody else. */
const said = {
  number: number.catch(null),
  text: text.catch(null),
  dollars: dollars.catch(null),
};

export const instanceRowSchema = z.looseObject({
  id,
  label: text,
  actual_status: text.catch('unknown'),
  intended_status: said.text,
  cur_state: said.text,
  next_state: said.text,
  status_msg: said.text,
  num_gpus: z.number().int().min(0).nullish().catch(null),
  gpu_name: said.text,
  is_bid: z.boolean().nullish().catch(null),
  verification: said.text,
  hosting_type: said.number,
  /** $ an hour, all parts together. */
  dph_total: said.dollars,
  /** $ an hour of the disk. */
  storage_total_cost: said.dollars,
  storage_cost: z
    .union([z.number().min(0), z.string()])
    .nullish()
    .catch(null),
  disk_space: said.number,
  /** When it was rented, in seconds. */
  start_date: said.number,
  /** When its host ends it, in seconds. */
  end_date: said.number,
  public_ipaddr: said.text,
  ssh_host: said.text,
  ssh_port: z.union([z.number().int(), z.string()]).nullish().catch(null),
  image_runtype: said.text,
  /** By the port inside, where it runs; a list of numbers in some answers. */
  ports: z.unknown(),
});
export type InstanceRow = z.output<typeof instanceRowSchema>;

export const instanceSchema = z.looseObject({ instances: instanceRowSchema.nullable() });

export const instancePageSchema = z.looseObject({
  success: z.boolean().nullish(),
  instances: z.array(instanceRowSchema),
  total_instances: number,
  next_token: text,
});

export const createdSchema = z.looseObject({
  success: z.boolean().nullish(),
  new_contract: id.nullish(),
});

export const doneSchema = z.looseObject({
  success: z.boolean().nullish(),
  error: text,
  msg: text,
});

export const userSchema = z.looseObject({
  id,
  email: text,
  username: text,
  /** What is left of what was paid in. */
  credit: signedDollarsSchema.nullish(),
  balance: signedDollarsSchema.nullish(),
});

const chargeItemSchema = z.looseObject({
  start: number,
  end: number,
  type: text,
  amount: signedDollarsSchema,
});

const chargeSchema = z.looseObject({
  start: number,
  end: number,
  /** Such as `instance-123`. */
  source: text,
  amount: signedDollarsSchema,
  metadata: z.looseObject({ label: text }).nullish(),
  items: z.array(chargeItemSchema).nullish(),
});
export type Charge = z.output<typeof chargeSchema>;

export const chargePageSchema = z.looseObject({
  success: z.boolean().nullish(),
  results: z.array(chargeSchema),
  total: number,
  next_token: text,
});
