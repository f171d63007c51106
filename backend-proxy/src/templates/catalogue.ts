/** The templates that come with Hitch. A template says what a cluster is set up for; offers and limits are the person's. */
import { cutText, HitchError, type TemplateInfo } from '@hitch/contract';

export const TEMPLATES: readonly TemplateInfo[] = [
  {
    id: 'notebook',
    title: 'Notebook',
    description: 'One machine with Jupyter: ready as soon as it runs, nothing else to wait for.',
    engine: 'single',
    minNodes: 1,
  },
  {
    id: 'ray',
    title: 'Ray cluster',
    description: 'A Ray cluster over one or more machines, with Jupyter on its head.',
    engine: 'ray',
    minNodes: 1,
  },
];

/** What is taken when nobody chose: a notebook on one machine, Ray from two up. */
export function defaultTemplate(nodes: number): string {
  return nodes === 1 ? 'notebook' : 'ray';
}

/** @throws HitchError BAD_INPUT naming those there are. */
export function templateById(id: string): TemplateInfo {
  const found = TEMPLATES.find(template => template.id === id);
  if (found === undefined) {
    throw new HitchError('BAD_INPUT', `There is no template “${cutText(id, 80)}”.`, {
      field: 'template',
      next: `Choose one of: ${TEMPLATES.map(template => template.id).join(', ')}.`,
    });
  }
  return found;
}
