/** A machine that somebody rents at a simulated Vast.ai by hand, over its API, beside whatever Hitch does there. */
import * as z from 'zod';
import { VAST_KEY } from '../simulators/vast/vast-simulator.ts';

const offersSchema = z.object({ offers: z.array(z.looseObject({ id: z.number(), num_gpus: z.number() })) });
const boughtSchema = z.object({ success: z.boolean().optional(), new_contract: z.number() });

async function asked(url: string, method: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${VAST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.json();
}

/** Takes the first of one GPU that nobody has taken. @returns the network's id of it */
export async function rentByHand(url: string, label: string, publicKey?: string): Promise<string> {
  const { offers } = offersSchema.parse(
    await asked(url, 'POST', '/api/v0/bundles/', { limit: 100, num_gpus: { eq: 1 }, rentable: { eq: true } }),
  );
  for (const { id } of offers) {
    const bought = boughtSchema.safeParse(
      await asked(url, 'PUT', `/api/v0/asks/${id.toString()}/`, {
        image: 'ubuntu:24.04',
        disk: 20,
        label,
        runtype: 'ssh_direc ssh_proxy',
        ...(publicKey === undefined ? {} : { onstart: `echo '${publicKey}' >> ~/.ssh/authorized_keys` }),
      }),
    );
    if (bought.success) {
      return bought.data.new_contract.toString();
    }
  }
  throw new Error('Nothing of one GPU is left to be rented.');
}
