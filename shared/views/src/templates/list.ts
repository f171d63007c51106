/** The list of templates: a button for each, with what it needs. */
import type { TemplateInfo } from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { textInput } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';

/** A longer list gets a search. */
const SEARCH_FROM = 8;
/** Of more that are found, the rest is asked for by a longer search, which the list says. */
const SHOWN = 100;

export interface ListPart {
  readonly t: Translate;
  readonly templates: readonly TemplateInfo[];
  readonly current: string | null;
  readonly search: string;
  readonly searched: (text: string) => void;
  readonly choose: (id: string) => void;
}

/** By title, name, description and tags; every word must be somewhere. */
export function foundTemplates(templates: readonly TemplateInfo[], search: string): readonly TemplateInfo[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return templates.filter(({ id, title, description, tags }) => {
    const text = [id, title, description, ...tags].join('\n').toLowerCase();
    return words.every(word => text.includes(word));
  });
}

/** `1× RTX 4090, 24 GB; from 2 nodes; Ray` */
export function needsWords({ needs, minNodes, engine, problems }: TemplateInfo, t: Translate): string {
  if (problems > 0) {
    return problems === 1 ? t('has a mistake') : t('has %1 mistakes', problems);
  }
  return [
    t('needs %1', needs),
    ...(minNodes > 1 ? [t('from %1 nodes', minNodes)] : []),
    ...(engine === 'ray' ? [t('Ray')] : []),
  ].join('; ');
}

const SOURCES = { hitch: 'comes with Hitch', user: 'your own', folder: 'from a folder' } as const;

export function sourceWords({ source, folder, shared }: TemplateInfo, t: Translate): string {
  if (shared !== undefined) {
    return shared.signedBy === null
      ? t('from %1, not signed by anybody you know', shared.source)
      : t('from %1, signed by %2', shared.source, shared.signedBy);
  }
  return source === 'folder' ? t('from the folder %1', folder) : t(SOURCES[source]);
}

/** Null: nothing takes its place. */
export const deprecatedWords = ({ deprecated }: TemplateInfo, t: Translate): string | null =>
  deprecated === undefined
    ? null
    : deprecated.use === null
      ? t('Deprecated: %1', deprecated.why)
      : t('Deprecated: %1 Use %2.', deprecated.why, deprecated.use);

export function templateList(part: ListPart): TemplateResult {
  const { t, templates, current, search } = part;
  const found = foundTemplates(templates, search);
  const more = found.length - SHOWN;
  return html`<nav aria-label=${t('Templates')}>
    ${
      templates.length < SEARCH_FROM
        ? nothing
        : textInput({
            id: 'search',
            label: t('Search templates'),
            type: 'search',
            value: search,
            typed: part.searched,
            changed: part.searched,
          })
    }
    <ul class="list">
      ${found.slice(0, SHOWN).map(
        info =>
          html`<li>
            <button
              type="button"
              class="template"
              data-template=${info.id}
              aria-current=${info.id === current ? 'true' : 'false'}
              @click=${() => part.choose(info.id)}
            >
              <span class="title">${info.title}</span>
              <span class=${info.problems > 0 ? 'error' : 'quiet'}>${needsWords(info, t)}</span>
              <span class="quiet">${sourceWords(info, t)}</span>
              ${info.deprecated === undefined ? nothing : html`<span class="quiet">${deprecatedWords(info, t)}</span>`}
            </button>
          </li>`,
      )}
    </ul>
    <p class="quiet" role="status">
      ${found.length === 0 ? t('No template matches “%1”.', search) : more > 0 ? t('%1 more: search for them', more) : ''}
    </p>
  </nav>`;
}
