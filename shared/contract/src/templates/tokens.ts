/** What secrets look like that people paste by mistake: patterns as their makers document them, and what each is. */
export const TOKENS: readonly (readonly [RegExp, string])[] = [
  [/\bhf_[A-Za-z0-9]{20,}/, 'a Hugging Face token'],
  [/\bsk-[A-Za-z0-9_-]{20,}/, 'an API key'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS key'],
  [/\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20,}/, 'a GitLab token'],
  [/\bxox[abprs]-[A-Za-z0-9-]{10,}/, 'a Slack token'],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, 'a Google key'],
  [/\brpa_[A-Z0-9]{30,}/, 'a RunPod key'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
];

/** @returns where the first token of a text stands, and what it is; null: there is none. */
export function tokenIn(text: string): { readonly index: number; readonly what: string } | null {
  const found = TOKENS.flatMap(([pattern, what]) => {
    const index = text.search(pattern);
    return index < 0 ? [] : [{ index, what }];
  });
  return found.sort((one, other) => one.index - other.index)[0] ?? null;
}
