/** The Templates view: what a cluster can be set up for. */
import * as vscode from 'vscode';
import type { TemplateInfo } from '@hitch/contract';
import type { Row } from '../tree/row.ts';
import { RowTree } from './row-tree.ts';
import { disposable, type Host, type Module } from './module.ts';

function templateRow({ id, title, description, engine, minNodes, needs, problems }: TemplateInfo): Row {
  const wrong = problems === 0 ? '' : problems === 1 ? 'has a mistake' : `has ${problems} mistakes`;
  const size = minNodes > 1 ? `, from ${minNodes} nodes` : '';
  return {
    id: `template:${id}`,
    label: title,
    description: wrong === '' ? `needs ${needs}` : wrong,
    icon: { name: problems > 0 ? 'warning' : engine === 'ray' ? 'type-hierarchy' : 'notebook-template' },
    contextValue: 'template',
    collapsible: 'none',
    spoken: `Template ${title}: ${wrong === '' ? `needs ${needs}` : wrong}. ${description}`,
    tooltip: () => [title, description, `${engine === 'ray' ? 'Ray cluster' : 'One machine'}${size}`],
    command: { id: 'hitch.rent.fromTemplate', argument: `template:${id}` },
  };
}

export function createTemplatesView(host: Host): Module<{ readonly tree: RowTree }> {
  const { model } = host.connection;
  const tree = new RowTree({ roots: () => model.state.templates.map(templateRow), below: () => [] });
  const view = vscode.window.createTreeView('hitch.templates', { treeDataProvider: tree });
  return { api: { tree }, disposables: [view, tree, disposable(model.onChange(() => tree.refresh()))] };
}
