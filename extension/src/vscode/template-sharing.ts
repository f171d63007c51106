/** Templates from elsewhere: looked at, shown with what they run and who signed them, and used after a yes. */
import type { TemplateInfo, TemplateLook } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import {
  changeLines,
  isAsBefore,
  lookQuestion,
  trustLines,
} from '@hitch/contract/src/templates/look-words.ts';
import { ask, inform } from './messages.ts';
import type { Host, Module } from './module.ts';
import { askLine, withProgress } from './screen.ts';

const YES = 'Use It';
const REMOVE = 'Remove';

/** VS Code’s questions have no bold: what allows more than before has its mark. */
function askLines(look: TemplateLook): readonly string[] {
  const { info, command, limits } = look.details;
  return [
    info.description,
    ...trustLines(look),
    ...(command === null ? [] : [`Runs: ${command}`]),
    ...(limits.total === null ? [] : [`Proposes to spend at most ${limits.total}`]),
    ...changeLines(look).map(({ text, rises }) => (rises ? text.replace(/^!/, '⚠') : text)),
  ];
}

export function createTemplateSharing({ commands, connection }: Host): Module<object> {
  const { model } = connection;

  const look = (
    request: { readonly source: string } | { readonly template: string },
  ): Thenable<TemplateLook> =>
    withProgress('status bar', 'Hitch: reading a template', () => model.client.api.templates.look(request));

  const decide = async (found: TemplateLook): Promise<void> => {
    const { title, version } = found.details.info;
    if (isAsBefore(found)) {
      void inform(`${title} ${version} is as it was.`);
      return;
    }
    if ((await ask(lookQuestion(found), askLines(found).join('\n'), YES)) === YES) {
      await model.client.api.templates.take({ id: found.id });
      await model.listTemplates();
    }
  };

  const add = async (): Promise<void> => {
    await model.need();
    const source = await askLine({
      title: 'Add a Shared Template',
      prompt: 'Its repository, and after # its tag and folder',
      placeholder: 'git+https://github.com/OWNER/REPOSITORY#v1.2.0:FOLDER',
    });
    if (source !== undefined && source.trim() !== '') {
      await decide(await look({ source: source.trim() }));
    }
  };

  /** @throws HitchError where the row is none that was added from elsewhere. */
  const added = (row: unknown): TemplateInfo => {
    const id = typeof row === 'string' ? row.replace(/^template:/, '') : '';
    const info = model.state.templates.find(each => each.id === id);
    if (info?.shared === undefined) {
      throw new HitchError('BAD_INPUT', 'This template was not added from elsewhere.', {
        next: 'Choose one that was, in the Templates view.',
      });
    }
    return info;
  };

  const update = async (row: unknown): Promise<void> => {
    await model.need();
    await decide(await look({ template: added(row).id }));
  };

  const remove = async (row: unknown): Promise<void> => {
    await model.need();
    const { id, title } = added(row);
    const said = await ask(`Remove ${title}?`, 'Jobs and clusters that were made of it stay.', REMOVE);
    if (said === REMOVE) {
      await model.client.api.templates.remove({ name: id });
      await model.listTemplates();
    }
  };

  return {
    api: {},
    disposables: [
      commands.register('hitch.templates.add', add),
      commands.register('hitch.templates.update', update),
      commands.register('hitch.templates.remove', remove),
    ],
  };
}
