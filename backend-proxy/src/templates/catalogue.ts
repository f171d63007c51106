/** The two templates that are taken when nobody chose: a notebook on one machine, Ray from two up. */
export function defaultTemplate(nodes: number): string {
  return nodes === 1 ? 'notebook' : 'ray';
}
