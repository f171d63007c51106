/**
 * What a stranger may call a file, a machine, a notebook, a terminal or an error. One list for every place of every client
 * that shows or writes such a text: who finds another attack adds it here, and every place is tried with it.
 */

export interface NastyString {
  readonly text: string;
  /** What it tries to do, and where. */
  readonly attacks: string;
}

const ESC = '\u001b';
const BEL = '\u0007';
const ST = `${ESC}\\`;

/** Links, icons and markup. */
const MARKUP: readonly NastyString[] = [
  {
    text: '[Keep](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%22%7D)',
    attacks: 'a command link in a message of VS Code',
  },
  { text: '[a](command:x "title")', attacks: 'a command link with a title' },
  { text: "[a](command:x 'title')", attacks: 'a command link with a title in single quotes' },
  { text: '[[a](](command:x)', attacks: 'a link text that holds a bracket' },
  { text: '[a]\u200b(command:x)', attacks: 'a link once its invisible part is taken out' },
  { text: '[a](COMMAND:x)', attacks: 'a link whose scheme is in capitals' },
  { text: '[a](file:///etc/passwd)', attacks: 'a link to a file of this computer' },
  { text: '[a](https://evil.example)', attacks: 'a link to another site' },
  { text: '[a](vscode://evil.extension/run)', attacks: 'a link to an extension' },
  { text: '[a][b]\n\n[b]: command:x', attacks: 'a link by reference' },
  { text: '<command:x>', attacks: 'an autolink' },
  { text: 'https://localhost/x', attacks: 'an address that markdown makes a link of' },
  { text: 'www.evil.example', attacks: 'an address without a scheme' },
  { text: 'me@evil.example', attacks: 'an address of mail' },
  { text: '![x](https://evil.example/pixel.png)', attacks: 'an image that tells that somebody looks' },
  { text: '# heading', attacks: 'a heading in a tooltip' },
  { text: '- [x] done', attacks: 'a list with a tick' },
  { text: '    code', attacks: 'a block of code' },
  { text: '`code` **bold** _it_ ~~no~~', attacks: 'emphasis in a tooltip' },
  { text: '| a | b |\n|---|---|', attacks: 'a table in a tooltip' },
  { text: '&lt;b&gt; &#91;a&#93;(command:x)', attacks: 'markup by entities' },
  { text: '$(zap) $(sync~spin)', attacks: 'icons in a picker, the status bar and tabs' },
  { text: '\\$(zap)', attacks: 'an icon behind the sign that takes its meaning away' },
  { text: '<img src=x onerror="alert(1)">', attacks: 'a script in a page' },
  { text: '<script>alert(1)</script>', attacks: 'a script in a page' },
  { text: '"><svg onload=alert(1)>', attacks: 'leaving an attribute' },
  { text: '</title><script>alert(1)</script>', attacks: 'leaving the title of a page' },
  { text: '${alert(1)} {{7*7}}', attacks: 'a template of a page' },
  { text: 'javascript:alert(1)', attacks: 'an address that is a script' },
];

/** Sequences for terminals. */
const TERMINAL: readonly NastyString[] = [
  { text: `${ESC}]52;c;cm0gLXJmIH4=${BEL}`, attacks: 'the clipboard, written' },
  { text: `${ESC}]52;c;?${ST}`, attacks: 'the clipboard, read' },
  { text: `\u009d52;c;cm0=\u009c`, attacks: 'the clipboard by C1 controls' },
  { text: `${ESC}]0;title${BEL}`, attacks: 'the title of a terminal' },
  { text: `${ESC}[21t`, attacks: 'the title, typed into the shell' },
  { text: `${ESC}[2J${ESC}[H`, attacks: 'a screen that is wiped' },
  { text: `${ESC}[1A${ESC}[2K✓ stopped`, attacks: 'a line above that is replaced' },
  { text: '\r✓ stopped: gone, confirmed', attacks: 'the line itself, overwritten' },
  { text: 'evil\b\b\b\bgood', attacks: 'letters that are taken back' },
  { text: `${ESC}[8mhidden${ESC}[0m`, attacks: 'text in no colour' },
  { text: `${ESC}[31mred`, attacks: 'a colour that goes on after it' },
  { text: `${ESC}]8;;file:///etc/passwd${BEL}x${ESC}]8;;${BEL}`, attacks: 'a link in a terminal' },
  { text: `${ESC}]1337;File=name=eA==;inline=0:eA==${BEL}`, attacks: 'a download by the terminal' },
  { text: `${ESC}]777;notify;a;b${BEL}`, attacks: 'a notification by the terminal' },
  { text: `${ESC}]633;E;rm -rf ~${BEL}`, attacks: 'a command in the history of VS Code' },
  { text: `${ESC}P$q"p${ST}`, attacks: 'a setting, typed into the shell' },
  { text: `${ESC}P+q544e${ST}`, attacks: 'a terminfo entry, typed into the shell' },
  { text: `${ESC}Ptmux;${ESC}${ESC}]52;c;eA==${BEL}${ST}`, attacks: 'a sequence inside of one for tmux' },
  { text: `${ESC}_Gt=f,a=T;L2V0Yy9wYXNzd2Q=${ST}`, attacks: 'a picture by the name of a file here' },
  { text: `${ESC}kname${ST}`, attacks: 'the title of tmux' },
  { text: '\u009b2J', attacks: 'a sequence by one C1 control' },
  { text: '\u0005', attacks: 'the answerback' },
  { text: '\u0007\u0007\u0007', attacks: 'the bell' },
  { text: `${ESC}c`, attacks: 'a terminal that starts anew' },
  { text: `${ESC}]52;c;`, attacks: 'what follows, swallowed by a sequence that does not end' },
  { text: '\u007f', attacks: 'a letter taken out' },
  { text: 'a\u0000b', attacks: 'a text that ends early' },
];

/** Letters that look like others, or like none. */
const LETTERS: readonly NastyString[] = [
  { text: 'results\u202etxt.exe', attacks: 'an extension that is turned around' },
  { text: '\u2066\u202eevil\u2069', attacks: 'an isolate' },
  { text: '\u200f\u061c\u200e', attacks: 'marks of direction' },
  { text: 'pay\u200bpal', attacks: 'a space of no width' },
  { text: 'a\u200d\u200cb', attacks: 'joiners of no width' },
  { text: '\ufeffname', attacks: 'a byte order mark' },
  { text: 'soft\u00adhyphen', attacks: 'a hyphen that is not shown' },
  { text: 'a\u2028b\u2029c', attacks: 'a line break that is no line feed' },
  { text: 'one\ntwo: not saved, gone', attacks: 'a line that Hitch did not write' },
  { text: 'a\r\nHost *\r\n  ProxyCommand touch /tmp/x', attacks: 'a setting of its own' },
  { text: 'a\u0085b', attacks: 'a next line' },
  { text: 'tag\u{e0041}\u{e0042}', attacks: 'letters of the tag block' },
  { text: '\ud800', attacks: 'half a letter' },
  { text: 'b\udc80y\udcff', attacks: 'bytes that are no letters' },
  { text: '\u3164\u115f\u2800', attacks: 'letters that look like nothing' },
  { text: 'a\u00a0b\u3000c', attacks: 'spaces that look like the usual one' },
  {
    text: 'Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a',
    attacks: 'accents over the lines above',
  },
  { text: '\ufff9a\ufffab\ufffb', attacks: 'annotations' },
  { text: '\u{f0000}\ue000', attacks: 'letters of somebody’s own font' },
  { text: 'a\\u001bb', attacks: 'a name that looks like one of ours that is written out' },
  { text: 'x'.repeat(100_000), attacks: 'a name that fills the screen' },
  { text: `${'x'.repeat(50_000)}y${'x'.repeat(49_999)}`, attacks: 'another that differs in its middle' },
];

/** For shells, files and other programs. */
const PROGRAMS: readonly NastyString[] = [
  { text: '$(touch /tmp/x)', attacks: 'a command in a shell' },
  { text: '`touch /tmp/x`', attacks: 'a command in backticks' },
  { text: "'; touch /tmp/x; '", attacks: 'the end of a quote' },
  { text: '"; touch /tmp/x; "', attacks: 'the end of a double quote' },
  { text: 'a && touch /tmp/x', attacks: 'a second command' },
  { text: '-oProxyCommand=touch /tmp/x', attacks: 'an option' },
  { text: '%h%p%C', attacks: 'the tokens of ssh' },
  { text: '*', attacks: 'every host' },
  { text: '../../.ssh/config', attacks: 'a place above' },
  { text: "=cmd|' /C calc'!A1", attacks: 'a formula in a table' },
  { text: '@SUM(1+1)*cmd', attacks: 'a formula in a table' },
  { text: 'a,b"c', attacks: 'a cell of a table' },
  { text: '{"level":50,"msg":"forged"}', attacks: 'a line of a log' },
  { text: '', attacks: 'a name of no letters' },
  { text: ' ', attacks: 'a name that looks like none' },
  { text: '__proto__', attacks: 'the parts of an object' },
  { text: '%1 %s %d', attacks: 'the places of a translation' },
];

export const NASTY: readonly NastyString[] = [...MARKUP, ...TERMINAL, ...LETTERS, ...PROGRAMS];
