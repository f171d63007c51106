/** Simulated networks whose machines a web address alone leads to. */
import { WebGateway } from '../support/web-gateway.ts';
import type { ProviderSubject } from './provider-rig.ts';

/** Behind a gateway of its own, whose certificate `ssh`'s program trusts meanwhile. */
export async function behindGateway<Subject extends ProviderSubject>(
  build: (gateway: WebGateway) => Subject,
): Promise<Subject> {
  const gateway = await WebGateway.start();
  const before = process.env['NODE_EXTRA_CA_CERTS'];
  process.env['NODE_EXTRA_CA_CERTS'] = gateway.authority;
  const subject = build(gateway);
  return {
    ...subject,
    dispose: async () => {
      await subject.dispose();
      await gateway.close();
      if (before === undefined) {
        delete process.env['NODE_EXTRA_CA_CERTS'];
      } else {
        process.env['NODE_EXTRA_CA_CERTS'] = before;
      }
    },
  };
}
