/** The user's own machines, registered. */
import * as z from 'zod';
import { defineNetwork } from '../network.ts';
import { OwnHosts } from './own-hosts.ts';
import { SshMachines } from './own-machines.ts';
import { SshProvider } from './ssh-provider.ts';

export const network = defineNetwork({
  id: 'ssh',
  settings: z.strictObject({
    /** Another configuration of `ssh` than the user's own; null: that one. */
    configFile: z.string().nullable().default(null),
  }),
  environment: { HITCH_SSH_CONFIG: value => ({ configFile: value }) },
  build: ({ configFile }, { home, shells, clock }) => {
    const own = {
      hosts: new OwnHosts(home),
      shells,
      targetOf: (name: string) => ({ name, destination: name, settings: [], configFile }),
    };
    return {
      provider: new SshProvider({ ...own, clock }),
      ownMachines: new SshMachines({ ...own, configFile }),
    };
  },
});
