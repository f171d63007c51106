/** A cell of a CSV file (RFC 4180). One that a spreadsheet would take for a formula is text. https://owasp.org/www-community/attacks/CSV_Injection */
export function csvCell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) && !/^[-+]?[\d.]+(?:e[-+]?\d+)?$/i.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
