/** The Templates view: what a cluster can be set up for. */
import * as vscode from 'vscode';
import type { TemplateInfo } from '@hitch/contract';
import type { Row } from '../tree/row.ts';
import { RowTree } from './row-tree.ts';
import { disposable, type Host, type Module } from './module.ts';

function templateRow(info: TemplateInfo): Row {
  const { id, title, description, engine, minNodes, needs, problems } = info;
  const wrong = problems === 0 ? '' : problems === 1 ? 'has a mistake' : `has ${problems} mistakes`;
  const size = minNodes > 1 ? `, from ${minNodes} nodes` : '';
  return {
    id: `template:${id}`,
    label: title,
    description:
      wrong !== '' ? wrong : `${info.deprecated === undefined ? '' : 'deprecated; '}needs ${needs}`,
    icon: { name: problems > 0 ? 'warning' : engine === 'ray' ? 'type-hierarchy' : 'notebook-template' },
    contextValue: info.shared === undefined ? 'template' : 'template;shared',
    collapsible: 'none',
    spoken: `Template ${title}: ${wrong === '' ? `needs ${needs}` : wrong}. ${description}`,
    tooltip: () => [
      title,
      description,
      `${engine === 'ray' ? 'Ray cluster' : 'One machine'}${size}`,
      ...whereFrom(info),
    ],
    command: { id: 'hitch.rent.fromTemplate', argument: `template:${id}` },
  };
}

/** Of one that was added from elsewhere, and of one that another takes the place of. */
const whereFrom = ({ shared, deprecated }: TemplateInfo): readonly string[] => [
  ...(shared === undefined
    ? []
    : [`From ${shared.source}${shared.signedBy === null ? '' : `, signed by ${shared.signedBy}`}`]),
  ...(deprecated === undefined
    ? []
    : [`Deprecated: ${deprecated.why}${deprecated.use === null ? '' : ` Use ${deprecated.use}.`}`]),
];

export function createTemplatesView(host: Host): Module<{ readonly tree: RowTree }> {
  const { model } = host.connection;
  const tree = new RowTree({ roots: () => model.state.templates.map(templateRow), below: () => [] });
  const view = vscode.window.createTreeView('hitch.templates', { treeDataProvider: tree });
  return { api: { tree }, disposables: [view, tree, disposable(model.onChange(() => tree.refresh()))] };
}
