/** Values for the programs in far/: lines NAME=value, read there one by one and never as shell. */

/** @throws RangeError for a value of more than one line. */
export function valueLines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      if (!/^[A-Z_]+$/.test(name) || /[\n\r\0]/.test(value)) {
        throw new RangeError(`${name} cannot be given to a far machine: it has more than one line.`);
      }
      return `${name}=${value}\n`;
    })
    .join('');
}
