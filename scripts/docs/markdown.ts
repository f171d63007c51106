/** Tables of Markdown, as the formatter leaves them. */

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');

export const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

export const table = (head: readonly string[], rows: readonly string[]): string[] => [
  row(head),
  row(head.map(() => '---')),
  ...rows,
];
