/** Errors of a request that never left this computer, in words for people. */

/** Codes of errors that come before anything of the request is on its way. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Why nothing of a request has left this computer, as the end of a sentence; null: some of it may have.
 * @param host with its port, as the address has it
 */
export function beforeSendingWords(code: string | null, host: string): string | null {
  if (code === null || !BEFORE_SENDING.has(code)) {
    return null;
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} leads nowhere (is this computer online?)`;
    case 'ECONNREFUSED':
      return `${host} refused the connection`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} is not reached from here (is this computer online, or is a proxy needed: HTTPS_PROXY?)`;
    default:
      return `the certificate of ${host} is not trusted (${code}): behind a company's proxy, name its certificates in NODE_EXTRA_CA_CERTS`;
  }
}

/** The code of an error or of what caused it. */
export function codeOf(error: unknown): string | null {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const code: unknown = Reflect.get(one, 'code');
    if (typeof code === 'string') {
      return code;
    }
  }
  return null;
}
