/** The networks that this computer is in: another one, or another address in it, and its connections lead nowhere. */
import { networkInterfaces } from 'node:os';

/** Those of containers and virtual machines come and go all day, and lead to nobody outside. */
const OF_CONTAINERS = /^(lo|docker|br-|veth|virbr|cni|flannel|cali|podman|vmnet|vEthernet)/;

/** Its addresses, as one text that is another one when they are. */
export function ownAddresses(interfaces: typeof networkInterfaces = networkInterfaces): string {
  return Object.entries(interfaces())
    .filter(([name]) => !OF_CONTAINERS.test(name))
    .flatMap(([name, addresses]) =>
      (addresses ?? [])
        // Of IPv6 the network alone: the rest changes by itself, to tell nobody who asks.
        .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
        .map(
          ({ family, address }) => `${name} ${family === 'IPv6' ? address.split(':', 4).join(':') : address}`,
        ),
    )
    .toSorted()
    .filter((each, at, all) => each !== all[at - 1])
    .join('\n');
}
