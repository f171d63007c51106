/** Which Python an environment gets, of those that Ray and Jupyter exist for. Pure. */

/** From the one that most packages are made for first to the others. */
export const ENVIRONMENT_PYTHONS = ['3.12', '3.11', '3.13', '3.10', '3.14'] as const;

/** The Python that such a rule (`>=3.11,<3.13`) allows; null: none of them. '' allows all. */
export function pythonFor(rule: string): string | null {
  return ENVIRONMENT_PYTHONS.find(version => allows(rule, version)) ?? null;
}

/** Whether some release of that minor version is allowed. */
export function allows(rule: string, version: string): boolean {
  const minor = Number(version.split('.')[1]);
  return rule
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .every(part => {
      const [, how = '==', major = '3', said, patch] =
        /^(~=|={1,3}|!=|<=|>=|<|>)?\s*v?(\d+)(?:\.(\d+|\*))?(?:\.([\d*]+))?/.exec(part) ?? [];
      if (Number(major) !== 3) {
        return how.startsWith('>') || how === '!='
          ? Number(major) < 3 || how === '!='
          : how.startsWith('<') && Number(major) > 3;
      }
      if (said === undefined || said === '*') {
        return how !== '!=' && how !== '<';
      }
      const other = Number(said);
      switch (how) {
        case '>=':
          return minor >= other;
        case '>':
          // 3.11 is not above 3.11, and 3.11.4 may be.
          return patch === undefined ? minor > other : minor >= other;
        case '<=':
          return minor <= other;
        case '<':
          return patch === undefined || patch === '0' ? minor < other : minor <= other;
        case '!=':
          return patch !== undefined && patch !== '*' ? true : minor !== other;
        case '~=':
          return patch === undefined ? minor >= other : minor === other;
        default:
          return minor === other;
      }
    });
}
