import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { COMMANDS } from '../src/declared/commands.ts';
import { CONTEXT_KEYS } from '../src/declared/context-keys.ts';
import { SETTINGS, settingFrom } from '../src/declared/settings.ts';
import { CONTAINER, PAGE, TERMINAL_PROFILE, VIEWS, WALKTHROUGH } from '../src/declared/views.ts';

const folder = new URL('../', import.meta.url);
const text = readFileSync(new URL('package.json', folder), 'utf8');
const menuEntry = z.object({ command: z.string(), when: z.string().optional() });
const manifest = z
  .object({
    activationEvents: z.array(z.string()),
    contributes: z.object({
      commands: z.array(
        z.object({
          command: z.string(),
          title: z.string(),
          category: z.string(),
          enablement: z.string().optional(),
        }),
      ),
      menus: z.record(z.string(), z.array(menuEntry)),
      views: z.record(z.string(), z.array(z.object({ id: z.string(), name: z.string(), icon: z.string() }))),
      viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
      viewsContainers: z.object({ activitybar: z.array(z.object({ id: z.string(), title: z.string() })) }),
      configuration: z.object({
        properties: z.record(z.string(), z.object({ default: z.unknown(), scope: z.string() })),
      }),
      terminal: z.object({ profiles: z.array(z.object({ id: z.string() })) }),
      walkthroughs: z.array(
        z.object({
          id: z.string(),
          steps: z.array(
            z.object({ id: z.string(), description: z.string(), completionEvents: z.array(z.string()) }),
          ),
        }),
      ),
    }),
  })
  .parse(JSON.parse(text));
const { contributes } = manifest;

/** Commands that the editor makes of a view's id. */
const isGiven = (id: string): boolean => Object.keys(VIEWS).some(view => id === `${view}.focus`);

describe('the extension’s manifest', () => {
  it('has every declared command under its title, and no other', () => {
    const listed = Object.fromEntries(contributes.commands.map(({ command, title }) => [command, title]));
    assert.deepEqual(listed, { ...COMMANDS });
    assert.ok(contributes.commands.every(({ category }) => category === 'Hitch'));
  });

  it('names only commands that there are, in menus, welcome texts and the walkthrough', () => {
    const known = new Set<string>(Object.keys(COMMANDS));
    const inMenus = Object.values(contributes.menus).flatMap(entries =>
      entries.map(({ command }) => command),
    );
    const linked = [...text.matchAll(/command:([a-zA-Z.]+)\)/g)].map(match => match[1] ?? '');
    assert.ok(linked.length > 5);
    assert.deepEqual(
      [...inMenus, ...linked].filter(id => !known.has(id) && !isGiven(id)),
      [],
    );
  });

  it('asks only for context keys that are declared, and for all of them', () => {
    const clauses = [
      ...contributes.viewsWelcome.map(({ when }) => when),
      ...contributes.commands.flatMap(({ enablement }) => enablement ?? []),
      ...Object.values(contributes.menus).flatMap(entries => entries.flatMap(({ when }) => when ?? [])),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.flatMap(step => step.completionEvents)),
    ].join(' ');
    const views = new Set<string>(Object.keys(VIEWS));
    const asked = new Set((clauses.match(/\bhitch\.[a-zA-Z.]+/g) ?? []).filter(word => !views.has(word)));
    assert.deepEqual([...asked].sort(), Object.keys(CONTEXT_KEYS).sort());
  });

  it('has the declared views in the declared container, and the walkthrough', () => {
    assert.deepEqual(
      contributes.viewsContainers.activitybar,
      [{ ...CONTAINER, icon: 'media/gpus.svg' }].map(({ id, title }) => ({ id, title })),
    );
    const views = (contributes.views[CONTAINER.id] ?? []).map(({ id, name }) => [id, name]);
    assert.deepEqual(Object.fromEntries(views), { ...VIEWS });
    assert.deepEqual(
      contributes.walkthroughs.map(({ id }) => id),
      [WALKTHROUGH],
    );
    assert.equal(contributes.walkthroughs[0]?.steps.length, 4);
    assert.deepEqual(
      contributes.terminal.profiles.map(({ id }) => id),
      [TERMINAL_PROFILE],
    );
  });

  it('has every declared setting with its default and its scope', () => {
    const listed = Object.entries(contributes.configuration.properties).map(([id, property]) => [
      id,
      property.default,
      property.scope,
    ]);
    const declared = Object.entries(SETTINGS).map(([id, setting]) => [id, setting.default, setting.scope]);
    assert.deepEqual(listed, declared);
  });

  it('lets no workspace decide about money, programs or folders', () => {
    for (const id of Object.keys(SETTINGS).filter(name => name !== 'hitch.statusBar.show')) {
      assert.equal(contributes.configuration.properties[id]?.scope, 'application', id);
    }
    assert.equal(settingFrom('hitch.rent.capDollars', 'a lot'), 2);
    assert.equal(settingFrom('hitch.rent.capDollars', 5), 5);
  });

  it('wakes up on nothing but a finished start, notebooks, what is open of clusters, and what people touch', () => {
    assert.deepEqual(manifest.activationEvents, [
      'onStartupFinished',
      'onNotebook:jupyter-notebook',
      'onNotebook:interactive',
      'onFileSystem:hitch',
      `onWebviewPanel:${PAGE}`,
      'onResolveRemoteAuthority:ssh-remote',
    ]);
  });

  it('names only pictures that there are', () => {
    const pictures = new Set([...text.matchAll(/media\/[\w.-]+\.svg/g)].map(([path]) => path));
    assert.deepEqual(
      [...pictures].filter(path => !existsSync(new URL(path, folder))),
      [],
    );
  });
});
