/** `hitch url`: a cluster as a Jupyter server, for programs that know nothing of Hitch. */
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clusterRef } from '../values.ts';

export const addUrl = defineCommand({
  usage: 'url <cluster>',
  summary: 'the address and token that make a cluster a Jupyter server to any other program',
  examples: [
    ['hitch url llm-dev', 'the same ones each time, also after a new start of the daemon'],
    ['hitch url llm-dev --token', 'the token alone, for a script'],
    ['hitch url llm-dev --revoke', 'take the token back; what is connected by it is cut off'],
  ],
  options: command =>
    command
      .option('--token', 'print the token alone')
      .option('--revoke', 'take the token back; the next “hitch url” gives another'),
  schema: z
    .object({
      cluster: clusterRef,
      token: z.boolean().default(false),
      revoke: z.boolean().default(false),
      json: z.boolean().default(false),
    })
    .refine(({ token, revoke }) => !(token && revoke), {
      path: ['revoke'],
      message: 'cannot be joined with --token',
    }),
  run: async ({ io, session }, input) => {
    const { api } = await session();
    const { id: clusterId, name } = await findCluster(api, input.cluster);
    if (input.revoke) {
      const { wasGiven } = await api.clusterUrls.revoke({ clusterId });
      if (input.json) {
        io.json({ clusterId, wasGiven });
      } else {
        io.line(wasGiven ? `The token of ${name} opens nothing any more.` : `${name} had no token.`);
      }
      return EXIT.ok;
    }
    const { url, token } = await api.clusterUrls.give({ clusterId });
    if (input.json) {
      io.json({ clusterId, url, token });
      return EXIT.ok;
    }
    if (input.token) {
      io.line(token);
      return EXIT.ok;
    }
    io.line(`${url}?token=${token}`);
    io.note(
      `Whoever has this line runs code on ${name} and reads its files, from this computer; it cannot rent or stop.`,
    );
    io.note('It ends with the cluster. Ways to use it:');
    io.note(`  jupyter lab --gateway-url=${url} --GatewayClient.auth_token=${token}`);
    io.note('  VS Code, without Hitch: Select Kernel › Existing Jupyter Server… › that line');
    return EXIT.ok;
  },
});
