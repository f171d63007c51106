/** A login that is one API key, as most networks have it. */
import type { LoginNeeds, LoginValues } from '../provider.ts';

export interface KeyLogin extends Pick<LoginNeeds, 'scopes'> {
  /** What to mind when the key is made, a sentence. */
  readonly help: string;
  /** The page where it is made. */
  readonly url: string;
  /** The variable that the network's own clients read it from. */
  readonly variable: string;
  /** Whether offers are shown to nobody without it. */
  readonly offersNeedIt: boolean;
}

export const loginByKey = ({ help, url, variable, offersNeedIt, scopes }: KeyLogin): LoginNeeds => ({
  fields: [{ name: 'apiKey', label: 'API key', secret: true, help, url }],
  variables: { apiKey: variable },
  needed: { offers: offersNeedIt, rent: true },
  scopes,
});

/** The headers of a key that is sent as RFC 6750 has it. */
export const asBearer = ({ apiKey = '' }: LoginValues): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${apiKey}`,
});
