/** This computer, registered. */
import { HitchError, type MicroUsd, parseDollars } from '@hitch/contract';
import * as z from 'zod';
import { defineNetwork } from '../network.ts';
import { LocalProvider } from './local-provider.ts';

export const network = defineNetwork({
  id: 'local',
  settings: z.strictObject({ dollarsPerHour: z.string().default('0') }),
  environment: { HITCH_LOCAL_DOLLARS_PER_HOUR: value => ({ dollarsPerHour: value }) },
  build: ({ dollarsPerHour }, { machines, clock, home }) => ({
    provider: new LocalProvider({
      machines,
      clock,
      folder: home.root,
      pricePerHourMicroUsd: localPrice(dollarsPerHour),
    }),
  }),
});

function localPrice(text: string): MicroUsd {
  try {
    return parseDollars(text);
  } catch (cause) {
    throw new HitchError('BAD_INPUT', `The price of this computer is not valid: ${String(cause)}`, {
      field: 'local.dollarsPerHour',
      next: 'Write it like 0.25 (dollars an hour).',
      cause,
    });
  }
}
