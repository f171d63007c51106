/**
 * What a page can say of a problem: versions, checks and clusters. The logs lie on the daemon's computer, where pages read no
 * files; `hitch report` adds them.
 */
import { redact } from '@hitch/contract/src/redact.ts';
import { shownJson } from '@hitch/contract';
import { Clipboard } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { ask } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { said, sentenceOf } from '../actions/report.ts';
import { setText } from '../ui/text.ts';

const ROWS = 16;

/** The folder above Hitch's own is the person's home, unless they chose another. */
const homeOf = (hitchHome: string): string => hitchHome.replace(/[\\/][^\\/]*$/, '');

async function facts({ hitch, now }: Deps, labVersion: string): Promise<string> {
  const { api } = hitch.client;
  const attempt = <T>(asked: Promise<T>): Promise<T | string> =>
    asked.catch((error: unknown) => `(${sentenceOf(error)})`);
  const [daemon, doctor] = await Promise.all([attempt(api.daemon.info()), attempt(api.daemon.doctor())]);
  const home = typeof daemon === 'string' ? '' : homeOf(daemon.home);
  const person = {
    home,
    name: home.split(/[\\/]/).at(-1) ?? '',
    names: hitch.clusters.map(({ name }) => name),
  };
  const clusters = hitch.clusters.map(({ id, phase, message, practice, engine, conditions }) => ({
    id,
    phase,
    message,
    practice,
    engine,
    conditions,
  }));
  const content = {
    made: new Date(now()).toISOString(),
    client: { app: 'JupyterLab', version: labVersion, browser: navigator.userAgent },
    link: hitch.link,
    limits: hitch.limits,
    daemon,
    doctor,
    clusters,
  };
  return shownJson(content, 2, (_key, value) => (typeof value === 'string' ? redact(value, person) : value));
}

class ReportBody extends Widget {
  constructor(sentence: string, label: string, text: string) {
    super();
    this.addClass('jp-Hitch-dialogBody');
    const about = document.createElement('p');
    setText(about, sentence);
    const shown = document.createElement('textarea');
    shown.className = 'jp-Hitch-presets jp-mod-styled';
    shown.rows = ROWS;
    shown.readOnly = true;
    shown.value = text;
    shown.setAttribute('aria-label', label);
    this.node.append(about, shown);
  }
}

export async function reportProblem(deps: Deps, labVersion: string): Promise<void> {
  const { trans } = deps;
  const text = await facts(deps, labVersion);
  const answer = await ask<'copy'>(trans, {
    title: trans.__('Report a problem'),
    body: new ReportBody(
      trans.__(
        'Add this to what you write. Names and your home folder are taken out, and nothing is sent. “hitch report” in a terminal of the daemon’s computer makes a report that has the logs too.',
      ),
      trans.__('The report'),
      text,
    ),
    choices: [{ value: 'copy', label: trans.__('Copy') }],
    usual: 'copy',
  });
  if (answer === 'copy') {
    Clipboard.copyToSystem(text);
    said(trans.__('The report is on the clipboard.'));
  }
}
